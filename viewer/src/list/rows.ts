// The rows on the page: sorted in, held back once somebody reads the list, filtered without touching the strip's truth.
import type { Candidate } from './candidates';
import { type Facts, type Filter, NO_FILTER, describe, isActive, passes, plain } from './facets';
import { type Order, compare } from './order';
import { type Relevant, paint } from './relevance';
import type { RowEvent } from './stream';

/** Where the keyboard stops in a row: its link, or its Request where there is nothing to open. */
const STOP = '[data-stop]';

interface Row {
  readonly uid: string;
  readonly sort: string;
  /** Where it stands by relevance, and why, as the list was told; `#beside` overrules it while a study is read. */
  readonly key: string;
  readonly why: string;
  readonly element: HTMLElement;
  readonly facts: Facts;
}
const strings = (text: string | undefined): string[] => {
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(value) ? value.map(String).filter(Boolean) : [];
  } catch {
    return [];
  }
};

function read(element: HTMLElement): Row {
  const data = element.dataset;
  const regions = strings(data['regions']);
  const modalities = strings(data['modalities']);
  return {
    uid: data['uid'] ?? '',
    sort: data['sort'] ?? '',
    key: data['relevance'] ?? '',
    why: element.querySelector('.rel')?.textContent ?? '',
    element,
    facts: { uid: data['uid'] ?? '', kind: data['kind'] ?? 'study', date: data['date'] ?? '', modalities, regions, hospitals: strings(data['hospitals']), text: plain(`${element.textContent} ${modalities.join(' ')} ${regions.join(' ')}`) },
  };
}

const copies = (element: HTMLElement): string[] => [...element.querySelectorAll<HTMLElement>('[data-copy]')].map((link) => link.dataset['copy'] ?? '');

function parse(html: string): HTMLElement | null {
  const template = document.createElement('template');
  template.innerHTML = html.trim();
  return template.content.querySelector<HTMLElement>('.srow');
}

export class Rows {
  readonly #list: HTMLElement;
  readonly #changed: () => void;
  #rows: Row[];
  #waiting = new Map<string, Row>();
  #filter: Filter = NO_FILTER;
  #selected = '';
  #order: Order = 'date';
  #beside: Relevant | null = null;
  /** Studies that arrived while the list was open, with when they were found. */
  #fresh = new Map<string, string>();
  /** Set once somebody scrolls, points or focuses in the list. */
  inUse = false;

  constructor(list: HTMLElement, changed: () => void) {
    this.#list = list;
    this.#changed = changed;
    this.#rows = [...list.querySelectorAll<HTMLElement>('.srow')].map(read);
    this.#arrange();
  }

  get all(): readonly Facts[] {
    return this.#rows.map((row) => row.facts);
  }
  /** All rows, held back or not, as far as their order and filters go. */
  get dated(): { uid: string; sort: string; date: string; modalities: readonly string[] }[] {
    return [...this.#rows, ...this.#waiting.values()].filter((row) => row.facts.kind === 'study').map((row) => ({ uid: row.uid, sort: row.sort, date: row.facts.date, modalities: row.facts.modalities }));
  }
  get count(): number {
    return this.#rows.length;
  }
  get waiting(): number {
    return this.#waiting.size;
  }
  get filter(): Filter {
    return this.#filter;
  }
  get shown(): HTMLElement[] {
    return this.#rows.filter((row) => !row.element.hidden).map((row) => row.element);
  }
  get hidden(): number {
    return this.#rows.filter((row) => row.element.hidden).length;
  }
  get filterWords(): string {
    return isActive(this.#filter) ? describe(this.#filter) : '';
  }

  /** Studies that can be opened, with what decides which goes beside which. */
  candidates(whose: { launch: string; patient: string }): Candidate[] {
    return this.#rows.filter(({ element }) => element.dataset['archive']).map(({ uid, element, facts }) => (
      { ...whose, archive: element.dataset['archive'] ?? '', study: uid, date: facts.date, modalities: facts.modalities, regions: facts.regions }));
  }

  /** Marks the rows that are ticked, and no other. */
  tick(uids: readonly string[]): void {
    for (const { uid, element } of this.#rows) {
      const ticked = uids.includes(uid);
      if (ticked === (element.dataset['ticked'] !== undefined)) continue;
      element.toggleAttribute('data-ticked', ticked);
      element.querySelector('.ticked')?.remove();
      if (!ticked) continue;
      const word = document.createElement('span');
      word.className = 'visually-hidden ticked';
      word.textContent = ', ticked to compare';
      element.querySelector(STOP)?.append(word);
    }
  }

  get known(): ReadonlySet<string> {
    return new Set([...this.#rows.map((row) => row.uid), ...this.#waiting.keys()]);
  }
  get waitingUrgent(): boolean {
    return [...this.#waiting.values()].some((row) => row.element.querySelector('.pill.bad') !== null);
  }

  find(uid: string): HTMLElement | undefined {
    return (this.#rows.find((row) => row.uid === uid) ?? this.#waiting.get(uid))?.element ?? this.#copy(uid);
  }

  /** The link of a copy that is folded into another study's row. It bears what opens it, as a row does. */
  #copy(uid: string): HTMLElement | undefined {
    const rows = [...this.#rows, ...this.#waiting.values()];
    return rows.flatMap((row) => [...row.element.querySelectorAll<HTMLElement>('[data-copy]')]).find((link) => link.dataset['copy'] === uid);
  }

  receive(events: readonly RowEvent[], gone: readonly string[] = []): void {
    let added = false;
    for (const event of events) {
      const element = parse(event.html);
      if (!element) continue;
      const row = read(element);
      if (row.uid !== event.uid) continue; // the row must be the one that was announced
      // A study that turns out to be a copy goes into the other's row, in its place: it must not vanish under somebody's eyes.
      const at = this.#rows.findIndex((old) => old.uid === row.uid || (gone.includes(old.uid) && copies(element).includes(old.uid)));
      const old = this.#rows[at];
      if (old && (old.sort === row.sort || old.uid !== row.uid)) {
        this.#replace(at, row);
        added ||= this.#order === 'relevance' && old.key !== row.key && !this.inUse;
      } else if (this.inUse) this.#waiting.set(row.uid, row);
      else {
        if (old) this.#remove(at);
        this.#rows.push(row);
        added = true;
      }
    }
    this.#drop((uid) => gone.includes(uid));
    if (added) this.#arrange();
    this.#apply();
  }

  /** After a full answer: rows of earlier answers that it no longer names. */
  keepOnly(uids: ReadonlySet<string>): void {
    this.#drop((uid) => !uids.has(uid));
    this.#apply();
  }

  /** Removed at once even while somebody reads: a row that is no longer this patient's must not stay. */
  #drop(goes: (uid: string) => boolean): void {
    for (let at = this.#rows.length - 1; at >= 0; at -= 1) {
      const row = this.#rows[at];
      if (row && goes(row.uid)) this.#remove(at);
    }
    for (const uid of this.#waiting.keys()) if (goes(uid)) this.#waiting.delete(uid);
  }

  /** Puts the rows that waited into their places; the row in view stays where it is. */
  release(): void {
    for (const row of this.#waiting.values()) {
      const at = this.#rows.findIndex((old) => old.uid === row.uid);
      if (at >= 0) this.#remove(at);
      this.#rows.push(row);
    }
    this.#waiting.clear();
    this.#arrange();
    this.#apply();
  }

  /** A person chose: rows move at once. */
  setOrder(order: Order): void {
    this.#order = order;
    this.#arrange();
    this.#apply();
  }

  /** Why each study matters to the one that is read; null: as the list was told. Rows keep their places until `setOrder`. */
  setBeside(beside: Relevant | null): void {
    this.#beside = beside;
    this.#apply();
  }

  /** Marks studies as new until they are opened. */
  mark(arrived: ReadonlyMap<string, string>): void {
    arrived.forEach((words, uid) => this.#fresh.set(uid, words));
    this.#apply();
  }

  setFilter(filter: Filter): void {
    this.#filter = filter;
    this.#apply();
  }

  select(uid: string): void {
    this.#selected = uid;
    this.#fresh.delete(uid);
    this.#apply();
  }

  #replace(at: number, row: Row): void {
    const old = this.#rows[at];
    if (!old) return;
    if (old.element.outerHTML === row.element.outerHTML) return;
    const focused = old.element.contains(document.activeElement);
    const stop = old.element.querySelector(STOP)?.getAttribute('tabindex');
    old.element.replaceWith(row.element);
    this.#rows[at] = row;
    const link = row.element.querySelector<HTMLElement>(STOP);
    if (stop) link?.setAttribute('tabindex', stop);
    if (focused) link?.focus({ preventScroll: true });
  }

  #remove(at: number): void {
    this.#rows[at]?.element.remove();
    this.#rows.splice(at, 1);
  }

  /** In the chosen order; rows already in their places are not touched, so that focus and scroll stay. */
  #arrange(): void {
    const by = compare(this.#order);
    const key = (row: Row): string => (this.#beside ? (this.#beside.get(row.uid)?.key ?? '') : row.key);
    const placed = this.#rows.map((row) => ({ uid: row.uid, sort: row.sort, key: key(row), row })).sort(by);
    this.#rows = placed.map((one) => one.row);
    let next = this.#list.firstElementChild;
    for (const row of this.#rows) {
      while (next?.classList.contains('grp')) next = next.nextElementSibling;
      if (next === row.element) next = next.nextElementSibling;
      else this.#list.insertBefore(row.element, next);
    }
  }

  #apply(): void {
    // Until somebody uses the list its first row is where the keyboard begins, however late that row came.
    const stopped = this.inUse ? this.#list.querySelector<HTMLElement>(`${STOP}[tabindex="0"]`) : null;
    let stop: HTMLElement | null = null;
    let first: HTMLElement | null = null;
    for (const row of this.#rows) {
      row.element.hidden = !passes(row.facts, this.#filter);
      const selected = row.uid === this.#selected || (this.#selected !== '' && row.element.contains(this.#copy(this.#selected) ?? null));
      row.element.classList.toggle('sel', selected);
      paint(row.element, this.#beside ? (this.#beside.get(row.uid)?.words ?? '') : row.why);
      this.#markNew(row);
      const link = row.element.querySelector<HTMLElement>(STOP);
      if (!link) continue;
      if (selected) link.setAttribute('aria-current', 'true');
      else link.removeAttribute('aria-current');
      link.tabIndex = -1;
      if (row.element.hidden) continue;
      first ??= link;
      if (link === stopped || (selected && !stopped)) stop = link;
    }
    const tab = stop ?? first;
    if (tab) tab.tabIndex = 0;
    this.#headings();
    this.#changed();
  }

  #markNew(row: Row): void {
    const words = this.#fresh.get(row.uid);
    const old = row.element.querySelector('.pill.new');
    if (words === undefined) return old?.remove();
    if (old) return;
    const pill = document.createElement('span');
    pill.className = 'pill new';
    pill.textContent = 'New';
    pill.title = words;
    const more = document.createElement('span');
    more.className = 'visually-hidden';
    more.textContent = `. ${words}`;
    pill.append(more);
    row.element.querySelector('.tt')?.append(' ', pill);
  }

  /** Group headings follow from the visible rows; one group alone needs none. */
  #headings(): void {
    const old = [...this.#list.querySelectorAll<HTMLElement>('.grp')];
    const groups: [string, HTMLElement][] = [];
    for (const element of this.shown) {
      const name = this.#order === 'date' ? (element.dataset['group'] ?? '') : element.querySelector('.rel') ? 'Relevant' : 'Other studies';
      if (groups.at(-1)?.[0] !== name) groups.push([name, element]);
    }
    const wanted = groups.length > 1 ? groups : [];
    const same = old.length === wanted.length && wanted.every(([name, before], i) => old[i]?.textContent === name && this.#nextShown(old[i]) === before);
    if (same) return;
    old.forEach((one) => one.remove());
    for (const [name, before] of wanted) {
      const heading = document.createElement('li');
      heading.className = 'grp';
      heading.textContent = name;
      this.#list.insertBefore(heading, before);
    }
  }

  #nextShown(from: HTMLElement | undefined): Element | null {
    let next = from?.nextElementSibling ?? null;
    while (next instanceof HTMLElement && next.hidden) next = next.nextElementSibling;
    return next;
  }
}
