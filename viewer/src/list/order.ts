// The order of the list: by time, as the eye runs down the left edge, or by relevance if the reader asks for it.
import { bindMenu } from '../theme/menu';

export type Order = 'date' | 'relevance';
export interface Placed {
  readonly uid: string;
  /** Descending text order is newest first. */
  readonly sort: string;
  /** Ascending text order is most relevant first; empty: nothing is said of it. */
  readonly key: string;
}
const STORE = 'priors-order';
const WORDS: Record<Order, string> = { date: 'Newest first', relevance: 'Most relevant first' };

const newest = (a: Placed, b: Placed): number => (a.sort === b.sort ? (a.uid < b.uid ? -1 : 1) : a.sort < b.sort ? 1 : -1);

/** Rows of which nothing is said come after the others, newest first among themselves. */
export function compare(order: Order): (a: Placed, b: Placed) => number {
  if (order === 'date') return newest;
  return (a, b) => {
    if (a.key === b.key) return newest(a, b);
    if (!a.key || !b.key) return a.key ? -1 : 1;
    return a.key < b.key ? -1 : 1;
  };
}

/** The menu beside the count. Its choice lasts for this tab; only the word itself is stored. */
export class OrderChoice {
  readonly #changed: (order: Order) => void;
  readonly #again = document.getElementById('resort') as HTMLElement;
  order: Order = 'date';

  constructor(changed: (order: Order) => void) {
    this.#changed = changed;
    const holder = document.getElementById('order') as HTMLElement;
    const close = bindMenu(holder.querySelector('button') as HTMLElement, holder.querySelector('.menu') as HTMLElement);
    try {
      if (sessionStorage.getItem(STORE) === 'relevance') this.order = 'relevance';
    } catch {
      // by date, then
    }
    for (const box of holder.querySelectorAll<HTMLInputElement>('input')) {
      box.checked = box.value === this.order;
      box.addEventListener('change', () => this.#choose(box.value === 'relevance' ? 'relevance' : 'date'));
      box.addEventListener('keydown', (event) => {
        if (event.key === 'Enter') close();
      });
    }
    this.#again.addEventListener('click', () => this.#choose(this.order));
    this.#show();
  }

  /** Another study is being read: what was sorted by no longer holds, but rows do not move under the pointer. */
  outdated(): void {
    this.#again.hidden = this.order === 'date';
  }

  turn(): void {
    this.#choose(this.order === 'date' ? 'relevance' : 'date');
  }

  #choose(order: Order): void {
    this.order = order;
    this.#again.hidden = true;
    try {
      sessionStorage.setItem(STORE, order);
    } catch {
      // lasts for this page only
    }
    this.#show();
    this.#changed(order);
  }

  #show(): void {
    document.querySelectorAll<HTMLInputElement>('#order input').forEach((box) => (box.checked = box.value === this.order));
    document.getElementById('rows')?.setAttribute('aria-label', this.order === 'date' ? 'Studies, newest first' : 'Studies, most relevant first');
    const label = document.querySelector('#order .lb');
    if (label) label.textContent = WORDS[this.order];
  }
}
