// Which drag tool is on, and whether one may measure on the image in view. Cornerstone's tools come in after the first
// image; until then a choice is kept for them.
import type { Cell } from './cell';
import type { Stack } from './stack';
import type { Tools } from './tools';
import type { DragTool, Toolbar } from './ui/toolbar';

const NO_SIZE = 'Size unknown: no measurement in mm on this image';
const ARROWS: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Toolbox {
  #tools: Tools | null = null;
  #active: DragTool = 'window';
  #told: boolean | null = null;
  #gone = false;

  /** `active`: the cell that commands go to. */
  constructor(private readonly toolbar: Toolbar, private readonly inUse: () => Cell, private readonly cells: () => readonly Cell[]) {}

  /** To be called for each new cell. A mark must not be put on an image whose size is unknown, even when the tool was chosen on another. */
  watch(cell: Cell): void {
    cell.frame.element.dataset.tool = this.#active;
    cell.frame.element.addEventListener('pointerdown', (event) => {
      if (this.#measures(this.#active) && !isSized(cell) && event.button === 0) event.stopPropagation();
    }, { capture: true });
  }

  get active(): DragTool {
    return this.#active;
  }

  get #sized(): boolean {
    return isSized(this.inUse());
  }

  #measures(tool: DragTool): boolean {
    return tool === 'length' || tool === 'angle' || tool === 'bidirectional';
  }

  /** Fetches the tools and puts them on a stack. Resolves false when the study was closed meanwhile. */
  async start(stack: Stack): Promise<boolean> {
    const { Tools: Made } = await import('./tools');
    if (this.#gone) return false;
    if (!this.#tools) {
      this.#tools = new Made();
      this.#tools.use(this.#active);
    }
    this.#tools.add(stack);
    return true;
  }

  use(tool: DragTool): void {
    if (this.#measures(tool) && !this.#sized) {
      this.inUse().frame.note(NO_SIZE);
      return;
    }
    this.#active = tool;
    this.toolbar.tool(tool);
    this.#tools?.use(tool);
    for (const cell of this.cells()) cell.frame.element.dataset.tool = tool;
  }

  /** To be called when another cell or series is looked at: measuring is offered only where the image's size is known. */
  look(): void {
    const sized = (this.#told = this.#sized);
    this.toolbar.allow('length', sized, NO_SIZE);
    this.toolbar.allow('angle', sized, NO_SIZE);
    if (!sized && this.#measures(this.#active)) this.use('window');
  }

  /** To be called when another image comes into view. */
  glance(): void {
    if (this.#sized !== this.#told) this.look();
  }

  removeMark(): void {
    const cell = this.inUse();
    if (this.#tools && (!cell.live || this.#tools.removeMark(cell.live) === 0)) cell.frame.note('No mark to delete');
  }

  /** Takes the marks off a stack whose series is going. */
  removeAll(stack: Stack): void {
    this.#tools?.removeAll(stack);
  }

  /** Takes the tools off a viewport that is going. */
  leave(stack: Stack): void {
    this.#tools?.remove(stack);
  }

  /** An arrow key moves the selected mark's end by one screen pixel. False when there is no mark, or another key. */
  moveEnd(key: string): boolean {
    const step = ARROWS[key];
    const stack = this.inUse().live;
    if (!step || !stack || !this.#tools) return false;
    const from = stack.viewport.canvasToWorld([0, 0]);
    return this.#tools.moveEnd(stack, stack.viewport.canvasToWorld(step).map((value, i) => value - (from[i] as number)));
  }

  destroy(): void {
    this.#gone = true;
    this.#tools?.destroy();
  }
}

// The tools know one size for the whole picture: where a part of it is a spectrum or M-mode, mm there would be wrong.
function isSized(cell: Cell): boolean {
  const image = cell.session?.images[cell.index];
  return Boolean(image?.spacing && image.regions.every((region) => region.kind === 'space'));
}
