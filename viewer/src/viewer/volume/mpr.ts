// Three planes through one series, joined by a cross, beside its stack. Loaded only when a person asks for it; draws on
// plain canvases, so that it needs neither shared memory nor cross-origin isolation nor WebGL (ADR 31).
import './mpr.css';
import type { StackImage, Triple } from '../dicom/images';
import { h } from '../ui/dom';
import { type Window, greyBy } from '../windows';
import { MprBar, type SlabChoice } from './bar';
import { Filling, type Values } from './fill';
import type { Lattice } from './geometry';
import { PLANES, type Plane, boxOf, isStraight, middleOf, placeIn, settle, stepOf, words } from './planes';
import { PlaneView, type PlaneTool, type Shared } from './plane_view';
import { plus } from './vectors';
import { Voxels, toIndex } from './voxels';

export interface MprSource {
  images: StackImage[];
  lattice: Lattice;
  values: Values;
  window: Window;
  inverted: boolean;
  /** The image of the stack in view: the cross begins in it. */
  index: number;
  who: string[];
  where: string[];
  /** What of the series is not here at all (withheld, not sent), or ''. */
  lacks: string;
}

export interface MprEvents { window(window: Window): void; slice(index: number): void; leave(): void }

const TOOLS: readonly PlaneTool[] = ['window', 'zoom', 'pan', 'scroll'];
const REST = 140; // ms after the last move until everything is drawn finely

export class Mpr {
  readonly element: HTMLElement;
  /** Where the stack goes. */
  readonly slot = h('div', 'v-mpr-slot');
  readonly #voxels: Voxels;
  readonly #filling: Filling;
  readonly #abort = new AbortController();
  readonly #shared: Shared;
  readonly #views: PlaneView[];
  readonly #bar: MprBar;
  #frame = 0;
  #resting = 0;
  #placed = false; // a person has zoomed or moved a plane

  /** Throws TooLarge. */
  constructor(private readonly source: MprSource, private readonly events: MprEvents) {
    this.#voxels = new Voxels(source.lattice, source.images);
    const { lattice } = this.#voxels;
    const middle = middleOf(boxOf(lattice));
    const at = settle(lattice, this.#inImage(middle, source.index));
    this.#shared = { grid: this.#voxels, at, window: source.window, inverted: source.inverted, slab: { mode: 'mip', thickness: 0 }, shade: greyBy(source.images[0]?.voiFunction ?? null), tool: 'window', scale: 1, hurried: false };
    const wanted = {
      to: (place: Triple) => this.#to(place), scroll: (plane: Plane, by: number) => this.#scroll(plane, by), moved: () => { this.#placed = true; this.#hurry(); }, resized: () => this.#resized(),
      window: (window: Window) => { this.window(window); events.window(window); }, zoom: (by: number) => { this.#placed = true; this.#shared.scale *= by; this.#hurry(); },
    };
    this.#views = PLANES.map((plane) => new PlaneView(plane, this.#shared, wanted, middle, source.who, source.where));
    this.#bar = new MprBar({ slab: (choice, thickness) => this.#slab(choice, thickness), again: () => this.#fill(), leave: () => events.leave() });
    const { every } = this.#voxels;
    this.#bar.notes([...(every > 1 ? [`Every ${every === 2 ? '2nd' : '4th'} pixel of a slice: the whole would not fit into memory`] : []), ...lattice.notes]);
    this.element = h('div', 'v-mpr', { 'data-mpr': 'filling' }, this.#bar.element, ...this.#views.map((view) => view.element), this.slot);
    this.#filling = new Filling(this.#voxels, source.values, this.#abort.signal, () => this.#hurry());
    this.#fill();
  }

  #fill(): void {
    void this.#filling.start(Math.round(toIndex(this.#voxels.lattice)(this.#shared.at)[2]));
    this.#hurry();
  }

  // The place in an image of the stack that is nearest to `place`.
  #inImage(place: Triple, index: number): Triple {
    const { lattice } = this.#voxels;
    const k = lattice.order.indexOf(index);
    if (k < 0) return place;
    return plus(place, lattice.steps[2], k - toIndex(lattice)(place)[2]);
  }

  #to(place: Triple): void {
    const { lattice } = this.#voxels;
    const before = this.slice;
    this.#shared.at = settle(lattice, place);
    const after = this.slice;
    if (after !== null && after !== before) this.events.slice(after);
    this.#hurry();
  }

  /** The image of the stack in which the cross lies. */
  get slice(): number | null {
    const { lattice } = this.#voxels;
    const k = Math.round(toIndex(lattice)(this.#shared.at)[2]);
    return lattice.order[k] ?? null;
  }

  /** The stack shows another image: the cross goes there. */
  follow(index: number): void {
    if (index === this.slice || !this.#voxels.lattice.order.includes(index)) return;
    this.#shared.at = settle(this.#voxels.lattice, this.#inImage(this.#shared.at, index));
    this.#hurry();
  }

  // The next image of a plane lies towards the head, the back or the left.
  #scroll(plane: Plane, by: number): void {
    const { lattice } = this.#voxels;
    const { index, count } = placeIn(lattice, plane, this.#shared.at);
    const to = Math.min(count - 1, Math.max(0, index + by));
    if (to !== index) this.#to(plus(this.#shared.at, plane.normal, (to - index) * stepOf(lattice, plane)));
  }

  #slab(choice: SlabChoice, thickness: number): void {
    this.#shared.slab = choice === 'thin' ? { mode: 'mip', thickness: 0 } : { mode: choice, thickness };
    this.#hurry();
  }

  window(window: Window): void {
    const { window: old } = this.#shared;
    if (old.width === window.width && old.center === window.center) return;
    this.#shared.window = window;
    this.#hurry();
  }

  inverted(on: boolean): void {
    if (this.#shared.inverted === on) return;
    this.#shared.inverted = on;
    this.#hurry();
  }

  tool(tool: string): void {
    this.#shared.tool = TOOLS.find((each) => each === tool) ?? 'cross';
    this.element.dataset.tool = tool;
  }

  overlays(on: boolean): void {
    this.element.classList.toggle('v-bare', !on);
  }

  /** The whole volume in each plane, all three to the same scale. */
  fit(): void {
    const box = boxOf(this.#voxels.lattice);
    const extent = box.high.map((value, axis) => value - (box.low[axis] as number)) as Triple;
    const along = (direction: Triple): number => Math.abs(direction[0] * extent[0] + direction[1] * extent[1] + direction[2] * extent[2]);
    const scales = this.#views.map((view) => {
      view.middle = middleOf(box);
      const [width, height] = view.size;
      return Math.max(along(view.plane.right) / Math.max(1, width), along(view.plane.down) / Math.max(1, height));
    });
    this.#shared.scale = Math.max(...scales, 1e-3);
    this.#placed = false;
    this.#hurry();
  }

  #resized(): void {
    if (this.#placed) this.#hurry();
    else this.fit();
  }

  // Drawn once in a frame, coarsely where it would be slow, and finely when nothing moves any more.
  #hurry(): void {
    if (this.#abort.signal.aborted) return;
    this.#shared.hurried = true;
    window.clearTimeout(this.#resting);
    this.#resting = window.setTimeout(() => { this.#shared.hurried = false; this.#draw(); }, REST);
    this.#frame ||= requestAnimationFrame(() => { this.#frame = 0; this.#draw(); });
  }

  #draw(): void {
    if (this.#abort.signal.aborted || !this.element.isConnected) return;
    this.#views.forEach((view) => view.draw());
    this.#say();
  }

  #say(): void {
    const voxels = this.#voxels;
    const { at } = this.#shared;
    const value = voxels.at(at);
    const unit = this.source.images[0]?.modality === 'CT' ? ' HU' : '';
    const read = value === null ? 'slice not loaded' : value === undefined ? 'outside' : `${Number.isInteger(value) ? value : value.toFixed(2)}${unit}`;
    this.#bar.cross(`${words(at)} \u00b7 ${isStraight(voxels.lattice) ? 'voxel' : 'nearest voxel'} ${read}`);
    const [total, failed] = [voxels.have.length, this.#filling.failed.size];
    const { fault } = this.#filling;
    const lacks = this.source.lacks ? ` \u00b7 ${this.source.lacks}` : '';
    if (fault) this.#bar.state(`Stopped at ${voxels.filled} of ${total} slices: ${fault.message}`, true, false);
    else if (this.#filling.busy) this.#bar.state(`Loading: ${voxels.filled} of ${total} slices`, false, false);
    else if (failed) this.#bar.state(`${failed} of ${total} slices could not be loaded: hatched${lacks}`, true, true);
    else this.#bar.state(`${total} slices${lacks}`, lacks !== '', false);
    this.element.dataset.mpr = voxels.complete ? 'complete' : this.#filling.busy ? 'filling' : 'gaps';
  }

  focus(): void {
    this.#views[0]?.element.focus({ preventScroll: true });
  }

  /** Frees the voxels and takes every pixel of the patient away. */
  destroy(): void {
    this.#abort.abort();
    cancelAnimationFrame(this.#frame);
    window.clearTimeout(this.#resting);
    this.#views.forEach((view) => view.destroy());
    this.element.remove();
  }
}
