// Which drag tool is on, and whether one may measure on the image in view. Cornerstone's tools come in after the first
// image; until then a choice is kept for them.
import type { StackImage } from './dicom/images';
import type { Stack } from './stack';
import type { Tools } from './tools';
import type { DragTool, Toolbar } from './ui/toolbar';
import type { ViewportFrame } from './ui/viewport';

const NO_SIZE = 'Size unknown: no measurement in mm on this image';
const ARROWS: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Toolbox {
  #tools: Tools | null = null;
  #active: DragTool = 'window';
  #gone = false;

  constructor(private readonly toolbar: Toolbar, private readonly frame: ViewportFrame, private readonly inView: () => StackImage | undefined) {
    // A mark must not be put on an image whose size is unknown, even when the tool was chosen on another.
    frame.element.addEventListener('pointerdown', (event) => {
      if (this.#measures(this.#active) && !this.#sized && event.button === 0) event.stopPropagation();
    }, { capture: true });
  }

  get active(): DragTool {
    return this.#active;
  }

  get #sized(): boolean {
    return Boolean(this.inView()?.spacing);
  }

  #measures(tool: DragTool): boolean {
    return tool === 'length' || tool === 'angle';
  }

  /** Fetches the tools and puts them on the stack's element. Resolves false when the study was closed meanwhile. */
  async start(stack: Stack): Promise<boolean> {
    if (this.#tools) return true;
    const { Tools: Made } = await import('./tools');
    if (this.#gone) return false;
    this.#tools ??= new Made(stack.element);
    this.#tools.use(this.#active);
    return true;
  }

  use(tool: DragTool): void {
    if (this.#measures(tool) && !this.#sized) {
      this.frame.note(NO_SIZE);
      return;
    }
    this.#active = tool;
    this.toolbar.tool(tool);
    this.#tools?.use(tool);
    this.frame.element.dataset.tool = tool;
  }

  /** To be called when another image comes into view: measuring is offered only where its size is known. */
  look(): void {
    const sized = this.#sized;
    this.toolbar.allow('length', sized, NO_SIZE);
    this.toolbar.allow('angle', sized, NO_SIZE);
    if (!sized && this.#measures(this.#active)) this.use('window');
  }

  removeMark(): void {
    if (this.#tools && this.#tools.removeMark() === 0) this.frame.note('No mark to delete');
  }

  removeAll(): void {
    this.#tools?.removeAll();
  }

  /** An arrow key moves the selected mark's end by one screen pixel. False when there is no mark, or another key. */
  moveEnd(key: string, stack: Stack | null): boolean {
    const step = ARROWS[key];
    if (!step || !stack || !this.#tools) return false;
    const from = stack.viewport.canvasToWorld([0, 0]);
    return this.#tools.moveEnd(stack.viewport.canvasToWorld(step).map((value, i) => value - (from[i] as number)));
  }

  destroy(): void {
    this.#gone = true;
    this.#tools?.destroy();
  }
}
