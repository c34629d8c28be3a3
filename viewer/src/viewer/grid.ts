// The viewports beside each other: how many, which one is used, and where each stands. Cells are made and taken away here
// and nowhere else; what is in them is put there by others.
import type { Cell } from './cell';
import { h } from './ui/dom';

export type Layout = '1x1' | '1x2' | '2x2';
export const PLACES: Record<Layout, number> = { '1x1': 1, '1x2': 2, '2x2': 4 };

/** The cells that stay when only `count` have room: the one in use always does, and otherwise those that come first. */
export function staying<T>(cells: readonly T[], active: T, count: number): T[] {
  const first = cells.slice(0, count);
  return first.includes(active) ? first : [...first.slice(0, count - 1), active];
}

interface Hears { made: (cell: Cell) => void; going: (cell: Cell) => void; used: (cell: Cell) => void }

export class Grid {
  readonly element = h('div', 'v-grid', { 'data-layout': '1x1' });
  #cells: Cell[] = [];
  #active: Cell | null = null;
  #layout: Layout = '1x1';

  constructor(private readonly make: () => Cell, private readonly hears: Hears) {}

  get layout(): Layout {
    return this.#layout;
  }

  get cells(): readonly Cell[] {
    return this.#cells;
  }

  get active(): Cell {
    return this.#active ?? (this.#cells[0] as Cell);
  }

  /** Lays the viewports out; those that no longer have room are taken away with what is in them. */
  lay(layout: Layout): void {
    const count = PLACES[layout];
    const stay = this.#cells.length > count ? staying(this.#cells, this.active, count) : [...this.#cells];
    for (const cell of this.#cells.filter((each) => !stay.includes(each))) {
      this.hears.going(cell);
      cell.destroy();
    }
    this.#layout = layout;
    this.element.dataset.layout = layout;
    this.#cells = stay;
    while (this.#cells.length < count) this.#add();
    this.#number();
    this.use(this.active);
  }

  #add(): void {
    const cell = this.make();
    this.#cells.push(cell);
    this.element.append(cell.element);
    cell.element.addEventListener('pointerdown', () => this.use(cell), { capture: true });
    cell.element.addEventListener('focusin', () => this.use(cell));
    this.hears.made(cell);
  }

  use(cell: Cell): void {
    const other = this.#active !== cell;
    this.#active = cell;
    for (const each of this.#cells) each.element.toggleAttribute('data-active', each === cell);
    if (other) this.hears.used(cell);
  }

  /** The next cell in reading order, or none after the last. */
  after(cell: Cell): Cell | undefined {
    return this.#cells[this.#cells.indexOf(cell) + 1];
  }

  /** The first two change places; what is in them goes along. */
  swap(): boolean {
    const [left, right, ...others] = this.#cells;
    if (!left || !right) return false;
    this.#cells = [right, left, ...others];
    this.element.prepend(right.element);
    this.#number();
    return true;
  }

  #number(): void {
    const several = this.#cells.length > 1;
    this.#cells.forEach((cell, i) => cell.frame.element.setAttribute('aria-label', several ? `Image ${'ABCD'[i]}` : 'Image'));
  }

  destroy(): void {
    for (const cell of this.#cells) cell.destroy();
    this.element.remove();
  }
}
