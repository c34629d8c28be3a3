// The only module that knows Cornerstone's tools. Loaded after the first image. Dragging and measuring only;
// which tool is on, and whether one may measure at all, is decided outside.
import {
  Enums, PanTool, ToolGroupManager, WindowLevelTool, ZoomTool, addTool, annotation, init as initTools, utilities,
} from '@cornerstonejs/tools';
import { Enums as CoreEnums, eventTarget, triggerEvent } from '@cornerstonejs/core';
import { MEASURING, setup } from './marks/annotations';
import { askWords } from './marks/naming';
import { ENGINE, type Stack } from './stack';

const GROUP = 'priors';
const CLASSES = { window: WindowLevelTool, zoom: ZoomTool, pan: PanTool, ...MEASURING } as const;

let ready = false;

/** One group of tools over all viewports: what is chosen is chosen for each. */
export class Tools {
  readonly #group;

  constructor() {
    if (!ready) {
      initTools();
      for (const tool of Object.values(CLASSES)) addTool(tool);
      style();
      ready = true;
    }
    ToolGroupManager.destroyToolGroup(GROUP);
    const group = ToolGroupManager.createToolGroup(GROUP);
    if (!group) throw new Error('no tool group');
    for (const [name, tool] of Object.entries(CLASSES)) group.addTool(tool.toolName, setup(name, askWords));
    this.#group = group;
    this.use('window');
  }

  add(stack: Stack): void {
    if (this.#group.getViewportIds().includes(stack.id)) return;
    // The tools hear of elements enabled after their start only; one that was there before lacks their layer.
    if (!stack.element.querySelector('.svg-layer')) triggerEvent(eventTarget, CoreEnums.Events.ELEMENT_ENABLED, { element: stack.element, viewportId: stack.id, renderingEngineId: ENGINE });
    this.#group.addViewport(stack.id, ENGINE);
  }

  remove(stack: Stack): void {
    this.removeAll(stack);
    this.#group.removeViewports(ENGINE, stack.id);
  }

  /** Puts a tool on the first mouse button and on one finger; the right button zooms, the middle pans, two fingers do both. */
  use(wanted: string): void {
    for (const [name, tool] of Object.entries(CLASSES)) {
      const bindings: { mouseButton?: number; numTouchPoints?: number }[] = [];
      if (name === wanted) bindings.push({ mouseButton: Enums.MouseBindings.Primary });
      if (name === 'zoom') bindings.push({ mouseButton: Enums.MouseBindings.Secondary }, { numTouchPoints: 2 });
      if (name === 'pan') bindings.push({ mouseButton: Enums.MouseBindings.Auxiliary });
      if (bindings.length) this.#group.setToolActive(tool.toolName, { bindings });
      else this.#group.setToolPassive(tool.toolName, { removeAllBindings: true });
    }
  }

  /** Takes the selected marks of a viewport away, or else the last one made on it. Returns how many went. */
  removeMark(stack: Stack): number {
    const all = this.#marks(stack);
    const selected = all.filter((mark) => mark.annotationUID && annotation.selection.isAnnotationSelected(mark.annotationUID));
    const going = selected.length ? selected : all.slice(-1);
    for (const mark of going) if (mark.annotationUID) annotation.state.removeAnnotation(mark.annotationUID);
    this.#redraw();
    return going.length;
  }

  /** Moves the last end of the selected (or last) mark; `by` in world coordinates. Returns false when there is no mark. */
  moveEnd(stack: Stack, by: number[]): boolean {
    const all = this.#marks(stack);
    const mark = all.find((each) => each.annotationUID && annotation.selection.isAnnotationSelected(each.annotationUID)) ?? all.at(-1);
    const point = mark?.data.handles?.points?.at(-1);
    if (!mark || !point) return false;
    by.forEach((value, i) => { point[i] = (point[i] as number) + value; });
    mark.invalidated = true;
    this.#redraw();
    return true;
  }

  /** Takes all marks of a viewport's images away. */
  removeAll(stack: Stack): void {
    for (const mark of this.#marks(stack)) if (mark.annotationUID) annotation.state.removeAnnotation(mark.annotationUID);
    this.#redraw();
  }

  // Cornerstone keeps marks by frame of reference, which two studies may share: only those on this viewport's own images count.
  #marks(stack: Stack): Mark[] {
    const own = new Set(stack.ids);
    return Object.values(MEASURING).flatMap((tool) => annotation.state.getAnnotations(tool.toolName, stack.element) ?? [])
      .filter((mark) => {
        const image = mark.metadata?.referencedImageId;
        return image === undefined || own.has(image);
      });
  }

  #redraw(): void {
    utilities.triggerAnnotationRenderForViewportIds(this.#group.getViewportIds());
  }

  destroy(): void {
    annotation.state.removeAllAnnotations();
    ToolGroupManager.destroyToolGroup(GROUP);
  }
}

type Mark = NonNullable<ReturnType<typeof annotation.state.getAnnotations>>[number];

function style(): void {
  const mark = getComputedStyle(document.documentElement).getPropertyValue('--pr-vp-mark').trim();
  const font = getComputedStyle(document.documentElement).getPropertyValue('--pr-font').trim();
  const { config } = annotation;
  const styles = config.style.getDefaultToolStyles();
  config.style.setDefaultToolStyles({
    ...styles,
    global: {
      ...styles.global,
      ...(mark ? { color: mark, colorHighlighted: mark, colorSelected: mark, textBoxColor: mark, textBoxColorHighlighted: mark, textBoxColorSelected: mark, textBoxLinkLineColor: mark } : {}),
      ...(font ? { textBoxFontFamily: font } : {}),
      lineWidth: '1.5', textBoxFontSize: '13px', textBoxBackground: 'rgba(0,0,0,.72)',
    },
  } as typeof styles);
}
