// What is drawn over a picture and moves with it: marks of others, regions, lines. One 2D canvas a viewport; each layer
// draws itself, this says when and where. Knows no layer, and no Cornerstone: points come through `toCanvas`.
import type { StackImage } from './dicom/images';

export type World = [number, number, number];

export interface Layer {
  readonly name: string;
  draw(canvas: CanvasRenderingContext2D, image: StackImage, toCanvas: (world: World) => [number, number]): void;
}

export class Layers {
  readonly #layers = new Map<string, Layer>();
  readonly #hidden = new Set<string>();
  #canvas: HTMLCanvasElement | null = null;
  #bare = false;

  /** `host`: the viewport's pixels; `changed` asks for another drawing. */
  constructor(private readonly host: HTMLElement, private readonly changed: () => void) {}

  get names(): string[] {
    return [...this.#layers.keys()];
  }

  /** Puts a layer on, in place of one of the same name. */
  put(layer: Layer): void {
    this.#layers.set(layer.name, layer);
    this.changed();
  }

  remove(name: string): void {
    if (this.#layers.delete(name)) this.changed();
  }

  show(name: string, shown: boolean): void {
    if (shown) this.#hidden.delete(name);
    else this.#hidden.add(name);
    this.changed();
  }

  isShown(name: string): boolean {
    return this.#layers.has(name) && !this.#hidden.has(name);
  }

  /** Hides or shows all of them, whatever each is set to. */
  bare(bare: boolean): void {
    this.#bare = bare;
    this.changed();
  }

  clear(): void {
    this.#layers.clear();
    this.#hidden.clear();
    this.wipe();
  }

  wipe(): void {
    this.#canvas?.remove();
    this.#canvas = null;
  }

  /** Draws what is shown for the image in view; nothing of an earlier image stays. */
  draw(image: StackImage, toCanvas: (world: World) => [number, number]): void {
    const shown = this.#bare ? [] : [...this.#layers.values()].filter((layer) => !this.#hidden.has(layer.name));
    if (shown.length === 0) { this.wipe(); return; }
    const canvas = (this.#canvas ??= this.#made());
    const [width, height, ratio] = [this.host.clientWidth, this.host.clientHeight, window.devicePixelRatio || 1];
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const pen = canvas.getContext('2d');
    if (!pen) return;
    for (const layer of shown) {
      pen.save();
      pen.scale(ratio, ratio);
      layer.draw(pen, image, toCanvas);
      pen.restore();
    }
  }

  #made(): HTMLCanvasElement {
    const canvas = document.createElement('canvas');
    canvas.className = 'v-layers';
    this.host.append(canvas);
    return canvas;
  }
}
