// The filter line: text and four menus, each usable by keyboard alone.
import { bindMenu } from '../theme/menu';
import { type Facts, type Filter, NO_FILTER, monthsBefore, tally } from './facets';

type Kind = 'modality' | 'region' | 'hospital';
const WORDS = { modality: 'Modality', region: 'Region', hospital: 'Hospital', date: 'Date' };
const SPANS: [string, string, number][] = [['any', 'Any date', 0], ['3', 'Last 3 months', 3], ['12', 'Last 12 months', 12], ['60', 'Last 5 years', 60]];

function element<K extends keyof HTMLElementTagNameMap>(tag: K, className: string, text = ''): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  return node;
}

export class FilterBar {
  readonly #find = document.getElementById('find') as HTMLInputElement;
  readonly #facts: () => readonly Facts[];
  readonly #changed: (filter: Filter) => void;
  #filter: Filter = NO_FILTER;
  #span = 'any';

  constructor(facts: () => readonly Facts[], changed: (filter: Filter) => void) {
    this.#facts = facts;
    this.#changed = changed;
    this.#find.addEventListener('input', () => this.#set({ text: this.#find.value }));
    for (const holder of document.querySelectorAll<HTMLElement>('[data-filter]')) {
      const kind = holder.dataset['filter'] as Kind | 'date';
      const button = holder.querySelector('button') as HTMLElement;
      const menu = holder.querySelector('.menu') as HTMLElement;
      bindMenu(button, menu, () => menu.replaceChildren(...(kind === 'date' ? this.#dates(menu) : this.#values(kind, menu))));
    }
  }

  focus(): void {
    this.#find.focus();
    this.#find.select();
  }

  get hasText(): boolean {
    return this.#find.value !== '';
  }

  clearText(): void {
    this.#find.value = '';
    this.#set({ text: '' });
  }

  clear(): void {
    this.#find.value = '';
    this.#span = 'any';
    this.#set(NO_FILTER);
  }

  /** What another system asked for when it opened the list. "Show all" takes it back like any filter. */
  narrow(change: Partial<Filter>): void {
    if (change.from || change.to) this.#span = 'own';
    this.#set(change);
  }

  /** Only rows of this kind, or all again. */
  toggleKind(kind: string): void {
    this.#set({ kind: this.#filter.kind === kind ? '' : kind });
  }

  #set(change: Partial<Filter>): void {
    this.#filter = { ...this.#filter, ...change };
    for (const kind of ['modality', 'region', 'hospital'] as const) {
      const values = [...this.#filter[kind]];
      this.#label(kind, values.length === 0 ? '' : values.length === 1 ? (values[0] ?? '') : String(values.length));
    }
    const { from, to } = this.#filter;
    const span = SPANS.find(([key]) => key === this.#span && key !== 'any')?.[1];
    this.#label('date', from || to ? (span ?? `${from || '…'} to ${to || '…'}`) : '');
    this.#changed(this.#filter);
  }

  #label(kind: Kind | 'date', value: string): void {
    const button = document.querySelector(`[data-filter="${kind}"] > button`);
    const label = button?.querySelector('.lb');
    if (label) label.textContent = value ? `${WORDS[kind]}: ${value}` : WORDS[kind];
    button?.classList.toggle('on', value !== '');
  }

  #values(kind: Kind, menu: HTMLElement): HTMLElement[] {
    const key = { modality: 'modalities', region: 'regions', hospital: 'hospitals' } as const;
    const found = tally(this.#facts().map((row) => row[key[kind]]));
    for (const value of this.#filter[kind]) if (!found.some(([name]) => name === value)) found.push([value, 0]);
    if (found.length === 0) return [element('div', 'head', 'No rows yet')];
    const set = element('fieldset', '');
    set.append(element('legend', 'head', WORDS[kind]));
    for (const [value, count] of found) {
      const label = element('label', 'opt');
      const box = element('input', '');
      box.type = 'checkbox';
      box.checked = this.#filter[kind].has(value);
      box.addEventListener('change', () => {
        const next = new Set(this.#filter[kind]);
        if (box.checked) next.add(value);
        else next.delete(value);
        this.#set({ [kind]: next });
      });
      const name = element('bdi', '', value);
      label.append(box, name, element('span', 'n', String(count)));
      set.append(label);
    }
    return [set, this.#foot(() => this.#set({ [kind]: new Set<string>() }), menu)];
  }

  #dates(menu: HTMLElement): HTMLElement[] {
    const set = element('fieldset', '');
    set.append(element('legend', 'head', 'Date of the study'));
    for (const [key, word, months] of SPANS) {
      const label = element('label', 'opt');
      const box = element('input', '');
      box.type = 'radio';
      box.name = 'span';
      box.checked = this.#span === key;
      box.addEventListener('change', () => {
        this.#span = key;
        from.value = months ? monthsBefore(new Date(), months) : '';
        to.value = '';
        this.#set({ from: from.value, to: '' });
      });
      label.append(box, word);
      set.append(label);
    }
    const range = element('div', 'range');
    const field = (word: string, value: string): HTMLInputElement => {
      const label = element('label', 's', word);
      const input = element('input', 'field');
      input.type = 'date';
      input.value = value;
      input.id = `f-date-${word.toLowerCase()}`;
      label.htmlFor = input.id;
      range.append(label, input);
      return input;
    };
    const from = field('From', this.#filter.from);
    const to = field('To', this.#filter.to);
    for (const input of [from, to]) {
      input.addEventListener('change', () => {
        this.#span = from.value || to.value ? 'own' : 'any';
        set.querySelectorAll<HTMLInputElement>('input[type=radio]').forEach((box, i) => (box.checked = SPANS[i]?.[0] === this.#span));
        this.#set({ from: from.value, to: to.value });
      });
    }
    const clear = (): void => {
      this.#span = 'any';
      this.#set({ from: '', to: '' });
    };
    return [set, range, this.#foot(clear, menu)];
  }

  #foot(clear: () => void, menu: HTMLElement): HTMLElement {
    const foot = element('div', 'foot');
    const button = element('button', 'btn btn-24', 'Clear');
    button.type = 'button';
    button.addEventListener('click', () => {
      clear();
      menu.querySelectorAll<HTMLInputElement>('input').forEach((box) => {
        if (box.type === 'date') box.value = '';
        else box.checked = box.type === 'radio' && box === menu.querySelector('input');
      });
    });
    foot.append(button);
    return foot;
  }
}
