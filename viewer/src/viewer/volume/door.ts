// The way from a stack to its three planes and back: whether there is one, why not, and what the two tell each other while
// they are side by side. Small and there from the start; everything else of the volume is fetched when it is wanted.
import type { Cell, Happening } from '../cell';
import { cornersOf } from '../corners';
import type { Command } from '../keys';
import type { SeriesSession } from '../session';
import type { DragTool, Toolbar } from '../ui/toolbar';
import type { Lattice, Verdict } from './geometry';
import type { Mpr } from './mpr';

const EARLY = 'The planes can be shown once the first image is there';
const BUSY = 'The planes could not be shown. Try again.';

export class VolumeDoor {
  readonly #verdicts = new WeakMap<SeriesSession, Verdict>();
  #open: { cell: Cell; mpr: Mpr } | null = null;
  #bare = false;
  #tool: DragTool = 'window';

  constructor(private readonly toolbar: Toolbar, private readonly inUse: () => Cell) {}

  /** Whether a key press belongs to a plane before it belongs to the stack. */
  owns(target: EventTarget | null): boolean {
    return target instanceof Element && target.closest('.v-mpr-plane, .v-mpr-bar') !== null;
  }

  /** To be told of everything that happens in a cell. */
  heard(cell: Cell, what: Happening): void {
    if (what === 'leaving' || what === 'closed') this.leave(cell);
    if (['series', 'closed', 'shown', 'failed'].includes(what) && cell === this.inUse()) void this.look(cell);
    if (this.#open?.cell !== cell) return;
    if (what === 'image') this.#open.mpr.follow(cell.index);
    if (what === 'moved') this.#sameWindow(cell, this.#open.mpr);
  }

  /** To be called when another cell is looked at: the tool says whether its series is a volume. */
  async look(cell: Cell): Promise<void> {
    this.toolbar.press('mpr', this.#open?.cell === cell);
    const verdict = cell.live ? await this.#verdict(cell) : null;
    if (cell === this.inUse()) this.toolbar.allow('mpr', Boolean(verdict?.lattice), verdict?.why ?? EARLY);
  }

  async #verdict(cell: Cell): Promise<Verdict | null> {
    const { session } = cell;
    if (!session) return null;
    const known = this.#verdicts.get(session);
    if (known) return known;
    const { latticeOf } = await import('./geometry');
    const verdict = latticeOf(session.images);
    this.#verdicts.set(session, verdict);
    return verdict;
  }

  /** True where the command was for the planes. */
  run(cell: Cell, command: Command): boolean {
    if (command === 'mpr') { void this.#toggle(cell); return true; }
    if (this.#open?.cell !== cell) return false;
    if (command === 'close') { this.leave(cell); return true; }
    if (command === 'fit' || command === 'reset') this.#open.mpr.fit();
    return false;
  }

  use(tool: DragTool): void {
    this.#tool = tool;
    this.#open?.mpr.tool(tool);
  }

  bare(bare: boolean): void {
    this.#bare = bare;
    this.#open?.mpr.overlays(!bare);
  }

  async #toggle(cell: Cell): Promise<void> {
    if (this.#open?.cell === cell) { this.leave(cell); return; }
    const verdict = await this.#verdict(cell);
    if (!verdict?.lattice || !cell.live) { cell.frame.note(verdict?.why ?? EARLY); return; }
    const { session } = cell;
    try {
      const { Mpr: Made } = await import('./mpr');
      if (cell.session !== session || !cell.live || this.#open?.cell === cell) return;
      this.#show(cell, Made, verdict.lattice);
    } catch (error) {
      cell.frame.note(error instanceof Error && error.name === 'TooLarge' ? `No planes: ${error.message}` : BUSY);
    }
  }

  #show(cell: Cell, Made: typeof Mpr, lattice: Lattice): void {
    const stack = cell.live;
    const { session, source, series } = cell;
    const shown = stack?.shown;
    if (!stack || !session || !source || !series || !shown?.window) throw new Error('no picture to go out from');
    const corners = cornersOf(source.outline, series, session, cell.index, shown);
    const mpr = new Made({
      images: session.images, lattice, values: (index) => stack.values(index), window: shown.window, inverted: upsideDown(cell, shown.inverted),
      index: cell.index, who: corners.top, where: corners.topRight, lacks: lackOf(session),
    }, {
      window: (window) => cell.window(window), leave: () => this.leave(cell),
      slice: (index) => { cell.cine.stop(); void cell.go(index); },
    });
    if (this.#open) this.leave(this.#open.cell);
    this.#open = { cell, mpr };
    cell.window(shown.window); // each image has its own until one is chosen: all planes and the stack share one
    mpr.tool(this.#tool);
    mpr.overlays(!this.#bare);
    mpr.slot.append(cell.frame.element);
    cell.element.append(mpr.element);
    cell.element.classList.add('v-with-planes');
    mpr.focus();
    this.toolbar.press('mpr', true);
  }

  #sameWindow(cell: Cell, mpr: Mpr): void {
    const shown = cell.live?.shown;
    if (!shown?.window) return;
    mpr.window(shown.window);
    mpr.inverted(upsideDown(cell, shown.inverted));
  }

  close(): void {
    if (this.#open) this.leave(this.#open.cell);
  }

  /** Puts the stack back in its place; the planes and their voxels go. */
  leave(cell: Cell): void {
    if (this.#open?.cell !== cell) return;
    const { mpr } = this.#open;
    this.#open = null;
    const focused = mpr.element.contains(document.activeElement);
    cell.element.append(cell.frame.element);
    cell.element.classList.remove('v-with-planes');
    mpr.destroy();
    if (focused) cell.frame.element.focus({ preventScroll: true });
    if (cell === this.inUse()) this.toolbar.press('mpr', false);
  }
}

function upsideDown(cell: Cell, inverted: boolean): boolean {
  return inverted !== (cell.session?.images[cell.index]?.photometric === 'MONOCHROME1');
}

// What of the series is not in the volume because it is not here: a volume looks whole without it.
function lackOf(session: SeriesSession): string {
  const count = session.withheld + session.absent;
  if (count > 0) return `${count} ${count === 1 ? 'image' : 'images'} of this series ${count === 1 ? 'is' : 'are'} not here`;
  return session.partial ? 'The archive says that its list is not complete' : '';
}
