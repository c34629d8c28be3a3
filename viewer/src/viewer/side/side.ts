// The panel beside the images: tabs of what is read while looking. It takes its own room and never covers a picture.
import { h } from '../ui/dom';

export interface SideTab { name: string; title: string; element: HTMLElement }

export class Side {
  readonly element: HTMLElement;
  readonly #tabs = h('div', 'v-sidetabs', { role: 'tablist', 'aria-label': 'Beside the images' });
  readonly #panes = h('div', 'v-sidepanes');
  readonly #all = new Map<string, { tab: HTMLButtonElement; pane: HTMLElement }>();

  constructor() {
    this.element = h('aside', 'v-aside', { 'aria-label': 'Beside the images' }, this.#tabs, this.#panes);
    this.element.hidden = true;
    this.#tabs.addEventListener('keydown', (event) => this.#key(event));
  }

  add({ name, title, element }: SideTab): void {
    const tab = h('button', 'v-sidetab', { type: 'button', role: 'tab', id: `v-tab-${name}`, 'aria-controls': `v-pane-${name}`, 'aria-selected': 'false', tabindex: '-1' }, title);
    const pane = h('div', 'v-sidepane', { role: 'tabpanel', id: `v-pane-${name}`, 'aria-labelledby': `v-tab-${name}`, tabindex: '0' }, element);
    tab.addEventListener('click', () => this.pick(name));
    this.#all.set(name, { tab, pane });
    this.#tabs.append(tab);
    this.#panes.append(pane);
    if (this.#all.size === 1) this.pick(name);
    else pane.hidden = true;
  }

  pick(name: string): void {
    for (const [each, { tab, pane }] of this.#all) {
      tab.setAttribute('aria-selected', String(each === name));
      tab.tabIndex = each === name ? 0 : -1;
      pane.hidden = each !== name;
    }
  }

  get open(): boolean {
    return !this.element.hidden;
  }

  show(open: boolean): void {
    this.element.hidden = !open;
  }

  /** Puts the reader into the tab that is open. */
  focus(): void {
    [...this.#all.values()].find(({ pane }) => !pane.hidden)?.pane.focus();
  }

  #key(event: KeyboardEvent): void {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const names = [...this.#all.keys()];
    const at = names.findIndex((name) => this.#all.get(name)?.tab === document.activeElement);
    const next = by && at >= 0 ? names[(at + by + names.length) % names.length] : undefined;
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    this.pick(next);
    this.#all.get(next)?.tab.focus();
  }
}
