// One plane on the screen: its canvas, the cross, its letters and words, and what a pointer or a key does on it.
// Cuts through `reslice` and decides nothing about the others: what is wanted goes to `Wanted`.
import type { Triple } from '../dicom/images';
import { commandOf } from '../keys';
import { h } from '../ui/dom';
import { Wheel } from '../wheel';
import { type Window, type grey } from '../windows';
import { type Look, type Plane, cutOf, edgesOf, pixelOf, placeIn, placeOf } from './planes';
import { type Picture, type Slab, MISSING, VALUE, coarser, emptyPicture, layersOf, reslice } from './reslice';
import type { Grid } from './voxels';

/** What dragging does; with any other tool it moves the cross. */
export type PlaneTool = 'window' | 'zoom' | 'pan' | 'scroll' | 'cross';

/** What the three planes share. */
export interface Shared { readonly grid: Grid; at: Triple; window: Window; inverted: boolean; slab: Slab; readonly shade: typeof grey; tool: PlaneTool; scale: number; hurried: boolean }

export interface Wanted {
  to(place: Triple): void;
  scroll(plane: Plane, by: number): void;
  window(window: Window): void;
  zoom(by: number): void;
  moved(): void;
  resized(): void;
}

const READS = 4e6;  // voxels read for one picture while it is being moved
const GRASP = 7;    // px within which the cross can be taken hold of
const CLICK = 4;    // px under which a press is a click
const SHIFTS: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class PlaneView {
  readonly element: HTMLElement;
  readonly #canvas = h('canvas', 'v-mpr-px', { 'aria-hidden': 'true' });
  readonly #lines = { x: h('i', 'v-mpr-x'), y: h('i', 'v-mpr-y') };
  readonly #bottom = h('div', 'v-ov v-bl');
  readonly #count = h('div', 'v-ov v-br');
  readonly #wheel: Wheel;
  readonly #resizing: ResizeObserver;
  #picture: Picture | null = null;

  constructor(readonly plane: Plane, private readonly shared: Shared, private readonly wanted: Wanted, public middle: Triple, who: string[], where: string[]) {
    const edges = edgesOf(plane);
    const lines = (texts: string[]): HTMLElement[] => texts.filter(Boolean).map((text) => h('div', '', {}, text));
    this.element = h('div', 'v-mpr-plane', {
      role: 'slider', tabindex: 0, 'aria-label': `${plane.title} plane`, 'aria-orientation': 'vertical', 'data-plane': plane.name,
    }, this.#canvas, this.#lines.x, this.#lines.y,
    h('div', 'v-ov v-tl', {}, ...lines(who)), h('div', 'v-ov v-tr', {}, ...lines(where)), this.#bottom, this.#count,
    h('span', 'v-mk v-mt', {}, edges.top), h('span', 'v-mk v-mr', {}, edges.right), h('span', 'v-mk v-mb', {}, edges.bottom), h('span', 'v-mk v-ml', {}, edges.left));
    this.#wheel = new Wheel(this.element, () => false, (by) => wanted.scroll(plane, by));
    this.element.addEventListener('pointerdown', (event) => this.#press(event));
    this.element.addEventListener('contextmenu', (event) => event.preventDefault());
    this.element.addEventListener('keydown', (event) => this.#key(event));
    this.#resizing = new ResizeObserver(() => wanted.resized());
    this.#resizing.observe(this.element);
  }

  get look(): Look {
    return { middle: this.middle, scale: this.shared.scale };
  }

  get size(): [number, number] {
    return [this.element.clientWidth, this.element.clientHeight];
  }

  draw(): void {
    const [width, height] = this.size;
    if (width < 2 || height < 2) return;
    const { shared, plane } = this;
    const fine = Math.min(2, window.devicePixelRatio || 1);
    const whole = cutOf(plane, { middle: this.middle, scale: shared.scale / fine }, shared.at, Math.round(width * fine), Math.round(height * fine));
    const reads = whole.width * whole.height * layersOf(shared.grid.lattice, whole, shared.slab).length;
    const by = shared.hurried ? Math.max(1, Math.ceil(Math.sqrt(reads / READS))) : 1;
    const cut = coarser(whole, by);
    if (this.#picture?.states.length !== cut.width * cut.height) this.#picture = emptyPicture(cut);
    reslice(shared.grid, cut, shared.slab, this.#picture);
    this.#paint(this.#picture, cut.width, cut.height);
    this.element.dataset.drawn = by > 1 ? 'coarse' : 'fine';
    this.#cross(width, height);
    this.#say();
  }

  // A pixel without a value stays clear: behind it the hatching of the element shows where a slice is missing.
  #paint({ values, states }: Picture, width: number, height: number): void {
    const canvas = this.#canvas;
    if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
    const pen = canvas.getContext('2d');
    if (!pen) return;
    const image = pen.createImageData(width, height);
    const out = new Uint32Array(image.data.buffer);
    const { window, inverted, shade: grey } = this.shared;
    for (let n = 0; n < out.length; n++) {
      const state = states[n];
      if (state === MISSING) continue;
      let shade = state === VALUE ? grey(values[n] as number, window) : 0;
      if (inverted && state === VALUE) shade = 255 - shade;
      out[n] = (0xff000000 | (shade << 16) | (shade << 8) | shade) >>> 0;
    }
    pen.putImageData(image, 0, 0);
  }

  #cross(width: number, height: number): void {
    const [x, y] = pixelOf(this.plane, this.look, this.shared.at, width, height);
    this.#lines.x.style.left = `${x}px`;
    this.#lines.y.style.top = `${y}px`;
  }

  #say(): void {
    const { plane, shared } = this;
    const { index, count } = placeIn(shared.grid.lattice, plane, shared.at);
    const { mode, thickness } = shared.slab;
    const slab = thickness > 0 ? `${{ mip: 'MIP', minip: 'MinIP', mean: 'Mean' }[mode]} ${thickness} mm` : '';
    this.#bottom.replaceChildren(h('div', 'v-b', {}, plane.title), h('div', 'v-d', {}, slab ? slab : 'Linear interpolation'));
    this.#count.replaceChildren(h('div', '', {}, `${index + 1} of ${count}`));
    const { element } = this;
    element.setAttribute('aria-valuemin', '1');
    element.setAttribute('aria-valuemax', String(count));
    element.setAttribute('aria-valuenow', String(index + 1));
    element.setAttribute('aria-valuetext', [`Image ${index + 1} of ${count}`, slab].filter(Boolean).join(', '));
  }

  #press(event: PointerEvent): void {
    const { element, shared } = this;
    element.focus({ preventScroll: true });
    const box = element.getBoundingClientRect();
    const where = (each: PointerEvent): [number, number] => [each.clientX - box.left, each.clientY - box.top];
    const start = where(event);
    const cross = pixelOf(this.plane, this.look, shared.at, ...this.size);
    const held = event.button === 0 && start.some((value, axis) => Math.abs(value - (cross[axis] as number)) < GRASP);
    const tool: PlaneTool = event.button === 2 ? 'zoom' : event.button === 1 ? 'pan' : shared.tool;
    const put = (to: [number, number]): void => this.wanted.to(placeOf(this.plane, this.look, shared.at, to, ...this.size));
    let last = start;
    let far = false;
    element.setPointerCapture(event.pointerId);
    event.preventDefault();
    const move = (each: PointerEvent): void => {
      const here = where(each);
      far ||= Math.hypot(here[0] - start[0], here[1] - start[1]) >= CLICK;
      if (!far) return;
      if (held || tool === 'cross') put(here);
      else this.#drag(tool, here[0] - last[0], here[1] - last[1]);
      last = here;
    };
    const up = (): void => {
      if (!far && event.button === 0) put(start);
      for (const [name, listener] of Object.entries({ pointermove: move, pointerup: up, pointercancel: up })) element.removeEventListener(name, listener as EventListener);
    };
    for (const [name, listener] of Object.entries({ pointermove: move, pointerup: up, pointercancel: up })) element.addEventListener(name, listener as EventListener);
  }

  #carried = 0;

  #drag(tool: PlaneTool, x: number, y: number): void {
    const { window, scale } = this.shared;
    if (tool === 'window') this.wanted.window({ width: Math.max(1, window.width + x * Math.max(1, window.width / 300)), center: window.center + y * Math.max(1, window.width / 300) });
    else if (tool === 'zoom') this.wanted.zoom(Math.exp(-y / 150));
    else if (tool === 'pan') {
      const { right, down } = this.plane;
      this.middle = this.middle.map((value, n) => value - ((right[n] as number) * x + (down[n] as number) * y) * scale) as Triple;
      this.wanted.moved();
    } else {
      this.#carried += y;
      const steps = Math.trunc(this.#carried / 4);
      this.#carried -= steps * 4;
      if (steps) this.wanted.scroll(this.plane, steps);
    }
  }

  #key(event: KeyboardEvent): void {
    const shift = event.shiftKey ? SHIFTS[event.key] : undefined;
    if (shift) { this.#nudge(shift); event.preventDefault(); event.stopPropagation(); return; }
    const zoom = { '+': 1 / 1.2, '-': 1.2 }[event.key];
    const steps: Record<string, number> = { next: 1, previous: -1, next10: 10, previous10: -10, first: -Infinity, last: Infinity };
    const step = steps[commandOf(event, true) ?? ''];
    if (zoom) this.wanted.zoom(zoom);
    else if (step !== undefined) this.wanted.scroll(this.plane, step);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // One voxel along the edge of the picture.
  #nudge([x, y]: [number, number]): void {
    const { lattice } = this.shared.grid;
    const { right, down } = this.plane;
    const reach = (direction: Triple): number => Math.max(...lattice.steps.map((step) => Math.abs(step[0] * direction[0] + step[1] * direction[1] + step[2] * direction[2])));
    const by = x ? reach(right) * x : reach(down) * y;
    this.wanted.to(this.shared.at.map((value, n) => value + by * ((x ? right : down)[n] as number)) as Triple);
  }

  destroy(): void {
    this.#wheel.stop();
    this.#resizing.disconnect();
    this.element.remove();
    this.#canvas.width = this.#canvas.height = 0;
  }
}
