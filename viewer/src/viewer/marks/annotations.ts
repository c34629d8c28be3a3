// Marks as Cornerstone keeps and draws them: its tools for measuring, what stands beside a mark, and the way to our own form
// and back. Loaded with the tools, after the first image. Decides nothing about saving.
import {
  AngleTool, ArrowAnnotateTool, BidirectionalTool, EllipticalROITool, Enums, LengthTool, ProbeTool, RectangleROITool, annotation, utilities,
} from '@cornerstonejs/tools';
import { type Types, cache, eventTarget } from '@cornerstonejs/core';
import type { StackImage } from '../dicom/images';
import { type Stack, imageOf } from '../stack';
import { type Place, toPlace, toWorld } from './plane';
import { KINDS, type Kind, type Mark, POINTS } from './types';
import { linesOf, valuesOf } from './values';

type Held = NonNullable<ReturnType<typeof annotation.state.getAnnotations>>[number];
type Data = Held['data'];

/** Asks the person for an arrow's words; null: none, then there is no arrow. */
export type AskWords = (before: string) => Promise<string | null>;

export const MEASURING = {
  length: LengthTool, angle: AngleTool, ellipse: EllipticalROITool, rectangle: RectangleROITool, bidirectional: BidirectionalTool, probe: ProbeTool, arrow: ArrowAnnotateTool,
} as const satisfies Record<Kind, unknown>;

/** How a tool is set up: the words beside its marks are ours, so that what is read is what is saved. */
export function setup(kind: string, ask: AskWords): Record<string, unknown> {
  if (kind === 'arrow') {
    return {
      getTextCallback: (done: (words: string | null) => void) => void ask('').then(done),
      changeTextCallback: (data: Data, _event: unknown, done: (words: string | null) => void) => void ask(data.label ?? '').then((words) => done(words ?? data.label ?? '')),
    };
  }
  return (KINDS as readonly string[]).includes(kind) ? { getTextLines: (data: Data) => said(kind as Kind, data), storePointData: false, calculateStats: kind !== 'ellipse' && kind !== 'rectangle' } : {};
}

/** The marks on a stack's own images, in our form. */
export function marksOn(stack: Stack, series: string): Mark[] {
  return heldOn(stack).flatMap(({ held, kind, image }) => {
    const points = placesOf(kind, held.data, image);
    return points ? [{ id: idOf(held), kind, name: held.data.label ?? '', series, instance: image.instance, frame: image.frame, points, values: valuesOf(kind, points, image, pixelsOf(held)) }] : [];
  });
}

/** Puts marks on the images of a stack, those that are there already left as they are. */
export function putOn(stack: Stack, marks: readonly Mark[]): void {
  const there = new Set(heldOn(stack).map(({ held }) => idOf(held)));
  for (const mark of marks.filter(({ id }) => !there.has(id))) {
    const index = stack.ids.findIndex((id) => { const image = imageOf(id); return image?.instance === mark.instance && image.frame === mark.frame; });
    const image = index >= 0 ? imageOf(stack.ids[index] as string) : undefined;
    if (!image) continue;
    const reference = stack.viewport.getViewReference({ sliceIndex: index });
    annotation.state.addAnnotation({
      annotationUID: mark.id, highlighted: false, invalidated: true, isLocked: false, isVisible: true,
      metadata: { ...reference, toolName: MEASURING[mark.kind].toolName, referencedImageId: stack.ids[index] },
      data: { label: mark.name, text: mark.name, handles: { points: ordered(stack, mark, image), activeHandleIndex: null, textBox: textBox() }, cachedStats: {}, frameNumber: undefined },
    } as unknown as Held, stack.element);
  }
  redraw(stack);
}

/** Takes one mark away, wherever it is. */
export function take(stack: Stack, id: string): void {
  for (const { held } of heldOn(stack)) if (idOf(held) === id && held.annotationUID) annotation.state.removeAnnotation(held.annotationUID);
  redraw(stack);
}

export function rename(stack: Stack, id: string, name: string): void {
  for (const { held } of heldOn(stack)) if (idOf(held) === id) Object.assign(held.data, { label: name, text: name });
  redraw(stack);
}

export function select(stack: Stack, id: string): void {
  const found = heldOn(stack).find(({ held }) => idOf(held) === id)?.held.annotationUID;
  if (found) annotation.selection.setAnnotationSelected(found, true, false);
  redraw(stack);
}

/** Hears when a person has made, moved or removed a mark. Returns how to stop. */
export function onChange(listener: () => void): () => void {
  const events = [Enums.Events.ANNOTATION_COMPLETED, Enums.Events.ANNOTATION_MODIFIED];
  for (const event of events) eventTarget.addEventListener(event, listener);
  return () => { for (const event of events) eventTarget.removeEventListener(event, listener); };
}

function heldOn(stack: Stack): { held: Held; kind: Kind; image: StackImage }[] {
  const own = new Set(stack.ids);
  return KINDS.flatMap((kind) => (annotation.state.getAnnotations(MEASURING[kind].toolName, stack.element) ?? []).flatMap((held) => {
    const id = held.metadata?.referencedImageId;
    const image = id && own.has(id) ? imageOf(id) : undefined;
    return image && held.data.handles?.points?.length ? [{ held, kind, image }] : [];
  }));
}

function said(kind: Kind, data: Data): string[] {
  const held = annotation.state.getAllAnnotations().find((each) => each.data === data);
  const image = held?.metadata?.referencedImageId ? imageOf(held.metadata.referencedImageId) : undefined;
  const points = image ? placesOf(kind, data, image) : null;
  if (!held || !image || !points) return [];
  return [...(data.label ? [data.label] : []), ...linesOf(valuesOf(kind, points, image, pixelsOf(held)), image.quantity.remark)];
}

function pixelsOf(held: Held): ArrayLike<number> | null {
  const id = held.metadata?.referencedImageId;
  return (id ? (cache.getImage(id) as Types.IImage | undefined)?.getPixelData() : null) ?? null;
}

// Cornerstone's own order of handles: an ellipse's are bottom, top, left, right; a rectangle's go line by line.
function placesOf(kind: Kind, data: Data, image: StackImage): Place[] | null {
  const points = (data.handles?.points ?? []).slice(0, POINTS[kind]).map((point) => toPlace(image, point));
  if (points.length !== POINTS[kind] || points.flat().some((each) => !Number.isFinite(each))) return null;
  const [a, b, c, d] = points as [Place, Place, Place, Place];
  if (kind === 'rectangle') return [a, b, d, c];
  if (kind === 'ellipse') return Math.hypot(b[0] - a[0], b[1] - a[1]) >= Math.hypot(d[0] - c[0], d[1] - c[1]) ? [a, b, c, d] : [c, d, a, b];
  return points;
}

function ordered(stack: Stack, mark: Mark, image: StackImage): Types.Point3[] {
  const points = mark.points.map((place) => toWorld(image, place) as Types.Point3);
  const [a, b, c, d] = points as [Types.Point3, Types.Point3, Types.Point3, Types.Point3];
  if (mark.kind === 'rectangle') return [a, b, d, c];
  if (mark.kind !== 'ellipse') return points;
  const [p, q] = [stack.viewport.worldToCanvas(a), stack.viewport.worldToCanvas(b)];
  return Math.abs(q[1] - p[1]) >= Math.abs(q[0] - p[0]) ? [a, b, c, d] : [c, d, a, b];
}

function textBox(): unknown {
  const none = [0, 0, 0];
  return { hasMoved: false, worldPosition: none, worldBoundingBox: { topLeft: none, topRight: none, bottomLeft: none, bottomRight: none } };
}

function idOf(held: Held): string {
  return (held.annotationUID ?? '').replaceAll('-', '').toLowerCase();
}

function redraw(stack: Stack): void {
  utilities.triggerAnnotationRenderForViewportIds([stack.id]);
}
