// The three planes of the body: which way each is looked at, what a step in it is, and the words for a place. Pure.
// Axial is seen from the feet, coronal from the front, sagittal from the left, as everywhere in radiology.
import type { Triple } from '../dicom/images';
import { type Edges, fromVector, opposite } from '../dicom/orientation';
import type { Lattice } from './geometry';
import type { Cut } from './reslice';
import { angle, dot, long, plus, times } from './vectors';
import { toIndex, toPlace } from './voxels';

export type PlaneName = 'axial' | 'coronal' | 'sagittal';
export interface Plane { name: PlaneName; title: string; right: Triple; down: Triple; normal: Triple }

/** `normal` is the way the next image lies: to the head, to the back, to the left. */
export const PLANES: readonly Plane[] = [
  { name: 'axial', title: 'Axial', right: [1, 0, 0], down: [0, 1, 0], normal: [0, 0, 1] },
  { name: 'coronal', title: 'Coronal', right: [1, 0, 0], down: [0, 0, -1], normal: [0, 1, 0] },
  { name: 'sagittal', title: 'Sagittal', right: [0, 1, 0], down: [0, 0, -1], normal: [1, 0, 0] },
];

export interface Box { low: Triple; high: Triple }

/** The box in the body that holds every voxel to its edges. */
export function boxOf(lattice: Lattice): Box {
  const ends = lattice.size.map((count) => [-0.5, count - 0.5]) as [number, number][];
  const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((n) => toPlace(lattice, ends.map((end, axis) => end[(n >> axis) & 1]) as Triple));
  const of = (choose: (...values: number[]) => number): Triple => [0, 1, 2].map((axis) => choose(...corners.map((corner) => corner[axis] as number))) as Triple;
  return { low: of(Math.min), high: of(Math.max) };
}

export function middleOf({ low, high }: Box): Triple {
  return times(plus(low, high), 0.5);
}

/** How far one image of a plane is from the next: the voxels' own distance in that direction. */
export function stepOf(lattice: Lattice, { normal }: Plane): number {
  const along = [...lattice.steps].sort((a, b) => angle(a, normal) - angle(b, normal))[0] as Triple;
  return Math.abs(dot(along, normal)) || long(along);
}

/** Whether the voxels lie along the body's planes, so that a cut can go through their middles. */
export function isStraight(lattice: Lattice): boolean {
  return lattice.steps.every((step) => PLANES.some(({ normal }) => angle(step, normal) < 0.01));
}

/** The middle of the nearest voxel, within the volume; of a slanted one the place itself, kept within its box. */
export function settle(lattice: Lattice, place: Triple): Triple {
  if (!isStraight(lattice)) {
    const { low, high } = boxOf(lattice);
    return place.map((value, axis) => Math.min(high[axis] as number, Math.max(low[axis] as number, value))) as Triple;
  }
  const index = toIndex(lattice)(place).map((value, axis) => Math.min((lattice.size[axis] as number) - 1, Math.max(0, Math.round(value)))) as Triple;
  return toPlace(lattice, index);
}

/** Number of images of a plane and which of them a place lies in, from 0. */
export function placeIn(lattice: Lattice, plane: Plane, place: Triple): { index: number; count: number } {
  const { low, high } = boxOf(lattice);
  const step = stepOf(lattice, plane);
  const count = Math.max(1, Math.round((dot(high, plane.normal) - dot(low, plane.normal)) / step));
  return { index: Math.min(count - 1, Math.max(0, Math.floor((dot(place, plane.normal) - dot(low, plane.normal)) / step + 1e-6))), count };
}

/** What is looked at of a plane: the place in the middle of the picture and how many mm a pixel is. */
export interface Look { middle: Triple; scale: number }

/** The cut through `at` that fills a picture of that many pixels. */
export function cutOf(plane: Plane, look: Look, at: Triple, width: number, height: number): Cut {
  const depth = dot(at, plane.normal) - dot(look.middle, plane.normal);
  const middle = plus(look.middle, plane.normal, depth);
  const right = times(plane.right, look.scale);
  const down = times(plane.down, look.scale);
  return { corner: plus(plus(middle, right, -(width - 1) / 2), down, -(height - 1) / 2), right, down, normal: plane.normal, width, height };
}

/** Where in the picture a place lies, pixels from its top left corner. */
export function pixelOf(plane: Plane, look: Look, place: Triple, width: number, height: number): [number, number] {
  const along = (direction: Triple): number => (dot(place, direction) - dot(look.middle, direction)) / look.scale;
  return [along(plane.right) + width / 2, along(plane.down) + height / 2];
}

/** The place in the body under a pixel of the picture through `at`. */
export function placeOf(plane: Plane, look: Look, at: Triple, [x, y]: [number, number], width: number, height: number): Triple {
  const depth = dot(at, plane.normal) - dot(look.middle, plane.normal);
  return plus(plus(plus(look.middle, plane.normal, depth), plane.right, (x - width / 2) * look.scale), plane.down, (y - height / 2) * look.scale);
}

export function edgesOf({ right, down }: Plane): Edges {
  const [r, d] = [fromVector(right) ?? '', fromVector(down) ?? ''];
  return { right: r, left: opposite(r), bottom: d, top: opposite(d) };
}

/** "L 12.0 · A 3.5 · H 40.0 mm" */
export function words(place: Triple): string {
  const letters: [string, string][] = [['L', 'R'], ['P', 'A'], ['H', 'F']];
  return `${place.map((value, axis) => `${(letters[axis] as [string, string])[value < 0 ? 1 : 0]} ${Math.abs(value).toFixed(1)}`).join(' \u00b7 ')} mm`;
}
