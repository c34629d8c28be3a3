// Cuts a plane, or a slab of it, out of a volume. Pure, and the only arithmetic behind what is drawn: linear
// interpolation between the eight voxels around each point. Nothing is made up outside the volume or at a missing slice.
import type { Triple } from '../dicom/images';
import { type Lattice } from './geometry';
import { angle, dot, long, minus, plus, times } from './vectors';
import { type Grid, inverse } from './voxels';

export const OUTSIDE = 0;
export const VALUE = 1;
export const MISSING = 2;

/** A picture to be cut: the place of its first pixel's middle, and the steps (mm) to the next pixel right and down. */
export interface Cut { corner: Triple; right: Triple; down: Triple; normal: Triple; width: number; height: number }

export type SlabMode = 'mip' | 'minip' | 'mean';
export interface Slab { mode: SlabMode; thickness: number }

export interface Picture { values: Float32Array; states: Uint8Array }

export function emptyPicture({ width, height }: Cut): Picture {
  return { values: new Float32Array(width * height), states: new Uint8Array(width * height) };
}

/**
 * Places along the normal that a slab reads, mm from its middle. Where the slices of the volume lie in the plane (the
 * usual case) they are exactly those slices, so that no value is lost between two points; else half a voxel apart.
 */
export function layersOf(lattice: Lattice, { corner, normal }: Cut, { thickness }: Slab): number[] {
  if (thickness <= 0) return [0];
  const half = thickness / 2;
  const rows = inverse(lattice);
  for (const [axis, step] of lattice.steps.entries()) {
    const others = lattice.steps.filter((_, other) => other !== axis);
    if (angle(step, normal) > 0.01 || others.some((other) => Math.abs(dot(other, normal)) > 1e-4 * long(other))) continue;
    const apart = dot(step, normal);
    const here = dot(rows[axis] as Triple, minus(corner, lattice.origin));
    const ends = [here - half / Math.abs(apart), here + half / Math.abs(apart)] as const;
    const inside: number[] = [];
    for (let n = Math.ceil(ends[0] - 1e-6); n <= ends[1] + 1e-6; n++) inside.push((n - here) * apart);
    return inside.length > 0 ? inside : [0];
  }
  const finest = Math.min(...lattice.steps.map(long)) / 2;
  const count = Math.max(2, Math.ceil(thickness / finest) + 1);
  return Array.from({ length: count }, (_, n) => -half + (thickness * n) / (count - 1));
}

/** Fills `out`, which has a place for each pixel of the cut. */
export function reslice(grid: Grid, cut: Cut, slab: Slab, out: Picture): void {
  const layers = layersOf(grid.lattice, cut, slab);
  const { values, states } = out;
  values.fill(0);
  states.fill(OUTSIDE);
  const counts = layers.length > 1 && slab.mode === 'mean' ? new Uint16Array(values.length) : null;
  for (const layer of layers) addLayer(grid, { ...cut, corner: plus(cut.corner, cut.normal, layer) }, slab.mode, out, counts);
  if (counts) for (let n = 0; n < values.length; n++) if ((counts[n] as number) > 1) values[n] = (values[n] as number) / (counts[n] as number);
}

function addLayer(grid: Grid, cut: Cut, mode: SlabMode, { values, states }: Picture, counts: Uint16Array | null): void {
  const rows = inverse(grid.lattice);
  const turn = (v: Triple): Triple => rows.map((row) => dot(row, v)) as Triple;
  const start = turn(minus(cut.corner, grid.lattice.origin));
  const right = turn(cut.right);
  const down = turn(cut.down);
  const read = reader(grid);
  let n = 0;
  for (let y = 0; y < cut.height; y++) {
    const [i0, j0, k0] = plus(start, down, y);
    for (let x = 0; x < cut.width; x++, n++) {
      if (states[n] === MISSING) continue;
      const value = read(i0 + right[0] * x, j0 + right[1] * x, k0 + right[2] * x);
      if (value === undefined) continue;
      if (value === null) { states[n] = MISSING; continue; }
      const old = values[n] as number;
      if (states[n] === OUTSIDE) values[n] = value;
      else if (mode === 'mip') { if (value > old) values[n] = value; }
      else if (mode === 'minip') { if (value < old) values[n] = value; }
      else values[n] = old + value;
      states[n] = VALUE;
      if (counts) counts[n] = (counts[n] as number) + 1;
    }
  }
}

const EDGE = 0.5 + 1e-6; // a voxel reaches half its size beyond its middle

// A place between two slices of which one is not in has no value, however near the other is.
function reader({ lattice, data, have, complete }: Grid): (i: number, j: number, k: number) => number | null | undefined {
  const [columns, rows, slices] = lattice.size;
  const plane = columns * rows;
  return (i, j, k) => {
    if (i < -EDGE || j < -EDGE || k < -EDGE || i > columns - 1 + EDGE || j > rows - 1 + EDGE || k > slices - 1 + EDGE) return undefined;
    const ci = i < 0 ? 0 : i > columns - 1 ? columns - 1 : i;
    const cj = j < 0 ? 0 : j > rows - 1 ? rows - 1 : j;
    const ck = k < 0 ? 0 : k > slices - 1 ? slices - 1 : k;
    const bi = ci | 0, bj = cj | 0;
    let bk = ck | 0;
    const fi = ci - bi, fj = cj - bj;
    let fk = ck - bk;
    if (fk < 1e-6) fk = 0;                                   // in the slice, but for rounding
    else if (fk > 1 - 1e-6) { fk = 0; bk += 1; }
    if (!complete && (!have[bk] || (fk > 0 && !have[bk + 1]))) return null;
    const at = bk * plane + bj * columns + bi;
    const right = bi < columns - 1 ? 1 : 0;
    const down = bj < rows - 1 ? columns : 0;
    const near = inSlice(data, at, right, down, fi, fj);
    return fk === 0 ? near : near + (inSlice(data, at + plane, right, down, fi, fj) - near) * fk;
  };
}

function inSlice(data: Grid['data'], at: number, right: number, down: number, fi: number, fj: number): number {
  const a = data[at] as number, b = data[at + right] as number, c = data[at + down] as number, d = data[at + down + right] as number;
  const top = a + (b - a) * fi;
  return top + (c + (d - c) * fi - top) * fj;
}

/** The cut of the same picture with every n-th pixel, for the time in which a person moves it. */
export function coarser(cut: Cut, by: number): Cut {
  return {
    ...cut, corner: plus(plus(cut.corner, cut.right, (by - 1) / 2), cut.down, (by - 1) / 2), right: times(cut.right, by), down: times(cut.down, by),
    width: Math.max(1, Math.ceil(cut.width / by)), height: Math.max(1, Math.ceil(cut.height / by)),
  };
}
