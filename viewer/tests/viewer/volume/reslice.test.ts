import { describe, expect, it } from 'vitest';
import type { StackImage, Triple } from '../../../src/viewer/dicom/images';
import { latticeOf } from '../../../src/viewer/volume/geometry';
import { PLANES, boxOf, cutOf, edgesOf, middleOf, pixelOf, placeIn, placeOf, settle, stepOf, words } from '../../../src/viewer/volume/planes';
import { type Cut, MISSING, OUTSIDE, type Slab, VALUE, coarser, emptyPicture, layersOf, reslice } from '../../../src/viewer/volume/reslice';
import { TooLarge, Voxels, toIndex, toPlace } from '../../../src/viewer/volume/voxels';
import { AXIAL, range, slice, slices } from './series';

const [axial, coronal, sagittal] = PLANES as [typeof PLANES[0], typeof PLANES[0], typeof PLANES[0]];
const THIN: Slab = { mode: 'mip', thickness: 0 };

function seeded(seed: number): () => number {
  let state = seed;
  return () => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return state / 2 ** 32; };
}

function volume(images: StackImage[], value: (i: number, j: number, k: number) => number, without: number[] = []): Voxels {
  const { lattice, why } = latticeOf(images);
  if (!lattice) throw new Error(String(why));
  const voxels = new Voxels(lattice, images);
  const [columns, rows, count] = lattice.size;
  for (let k = 0; k < count; k++) {
    if (!without.includes(k)) voxels.put(k, Float32Array.from({ length: columns * rows }, (_, n) => value(n % columns, Math.floor(n / columns), k)));
  }
  return voxels;
}

const tilted = (): StackImage[] => range(7).map((z) => slice([-10 + z / 9, -20 + z * 0.3, z], { rows: 9, columns: 8 }));
const oblique = (): StackImage[] => {
  const [c, s] = [Math.cos(0.4), Math.sin(0.4)];
  return range(7, 1).map((n) => slice([-s * n * 1.3, c * n * 1.3, 5], { rows: 9, columns: 8, orientation: [[c, s, 0], [0, 0, -1]] }));
};

// Written another way round than the code it checks: weights of all voxels of the volume, no clamping, no increments.
function brute(voxels: Voxels, place: Triple): number | undefined {
  const { size } = voxels.lattice;
  const at = toIndex(voxels.lattice)(place);
  if (at.some((value, axis) => value < -0.5 - 1e-6 || value > (size[axis] as number) - 0.5 + 1e-6)) return undefined;
  const held = at.map((value, axis) => Math.min((size[axis] as number) - 1, Math.max(0, value))) as Triple;
  let sum = 0;
  for (let k = 0; k < size[2]; k++) for (let j = 0; j < size[1]; j++) for (let i = 0; i < size[0]; i++) {
    const weight = [i, j, k].reduce((product, each, axis) => product * Math.max(0, 1 - Math.abs((held[axis] as number) - each)), 1);
    sum += weight * (voxels.data[(k * size[1] + j) * size[0] + i] as number);
  }
  return sum;
}

function bruteSlab(voxels: Voxels, place: Triple, cut: Cut, slab: Slab): number | undefined {
  const all = layersOf(voxels.lattice, cut, slab).map((layer) => brute(voxels, place.map((v, n) => v + (cut.normal[n] as number) * layer) as Triple)).filter((v) => v !== undefined);
  if (all.length === 0) return undefined;
  return slab.mode === 'mip' ? Math.max(...all) : slab.mode === 'minip' ? Math.min(...all) : all.reduce((a, b) => a + b) / all.length;
}

describe('a cut', () => {
  it.each([['straight', () => slices(range(7), { rows: 9, columns: 8 })], ['tilted', tilted], ['oblique', oblique]] as const)('equals brute force on a %s volume, thin and as a slab', (_name, make) => {
    const random = seeded(7);
    const voxels = volume(make(), () => Math.round(random() * 3000 - 1000));
    const middle = middleOf(boxOf(voxels.lattice));
    for (const plane of PLANES) for (const slab of [THIN, { mode: 'mip', thickness: 3 }, { mode: 'minip', thickness: 3 }, { mode: 'mean', thickness: 3 }] as Slab[]) {
      const cut = cutOf(plane, { middle, scale: 0.45 }, settle(voxels.lattice, middle), 23, 19);
      const out = emptyPicture(cut);
      reslice(voxels, cut, slab, out);
      let seen = 0;
      for (let y = 0; y < cut.height; y++) for (let x = 0; x < cut.width; x++) {
        const place = cut.corner.map((v, n) => v + (cut.right[n] as number) * x + (cut.down[n] as number) * y) as Triple;
        const right = bruteSlab(voxels, place, cut, slab);
        const n = y * cut.width + x;
        if (right === undefined) { expect(out.states[n]).toBe(OUTSIDE); continue; }
        seen += 1;
        expect(out.states[n]).toBe(VALUE);
        expect(Math.abs((out.values[n] as number) - right)).toBeLessThan(1e-2);
      }
      expect(seen).toBeGreaterThan(20);
    }
  });

  it('through the middles of the voxels is the original slice, to the number', () => {
    const random = seeded(3);
    const voxels = volume(slices(range(5), { rows: 6, columns: 8, spacing: [0.5, 0.5] }), () => Math.round(random() * 4000 - 1024));
    const at = toPlace(voxels.lattice, [0, 0, 3]);
    const cut: Cut = { corner: at, right: [0.5, 0, 0], down: [0, 0.5, 0], normal: [0, 0, 1], width: 8, height: 6 };
    const out = emptyPicture(cut);
    reslice(voxels, cut, THIN, out);
    expect([...out.values]).toEqual([...voxels.data.slice(3 * 48, 4 * 48)]);
  });

  it('of a slab along the slices is the very largest, smallest and mean of the voxels in it', () => {
    const random = seeded(5);
    const voxels = volume(slices(range(9), { rows: 2, columns: 3, spacing: [1, 1] }), () => Math.round(random() * 4000 - 1024));
    const cut: Cut = { corner: toPlace(voxels.lattice, [0, 0, 4]), right: [1, 0, 0], down: [0, 1, 0], normal: [0, 0, 1], width: 3, height: 2 };
    const column = (n: number): number[] => [3, 4, 5].map((k) => voxels.data[k * 6 + n] as number);
    expect(layersOf(voxels.lattice, cut, { mode: 'mip', thickness: 5 })).toEqual([-2, 0, 2]);
    for (const [mode, of] of [['mip', (v: number[]) => Math.max(...v)], ['minip', (v: number[]) => Math.min(...v)], ['mean', (v: number[]) => v.reduce((a, b) => a + b) / 3]] as const) {
      const out = emptyPicture(cut);
      reslice(voxels, cut, { mode, thickness: 5 }, out);
      out.values.forEach((value, n) => expect(value).toBeCloseTo(of(column(n)), 3));
    }
  });

  it('makes nothing up where a slice is missing, nor in a slab that has it', () => {
    const voxels = volume(slices(range(9), { rows: 4, columns: 4 }), () => 100, [4]);
    expect(voxels.complete).toBe(false);
    const cut = cutOf(coronal, { middle: middleOf(boxOf(voxels.lattice)), scale: 0.25 }, toPlace(voxels.lattice, [0, 2, 0]), 3, 80);
    const out = emptyPicture(cut);
    reslice(voxels, cut, THIN, out);
    for (let y = 0; y < cut.height; y++) {
      const [, , k] = toIndex(voxels.lattice)(cut.corner.map((v, n) => v + (cut.down[n] as number) * y) as Triple);
      const state = out.states[y * 3 + 1];
      if (k < -0.5 || k > 8.5) expect(state).toBe(OUTSIDE);
      else expect(state).toBe(k > 3 && k < 5 ? MISSING : VALUE);
    }
    const through = cutOf(axial, { middle: middleOf(boxOf(voxels.lattice)), scale: 0.5 }, toPlace(voxels.lattice, [2, 2, 2]), 3, 3);
    const slabbed = emptyPicture(through);
    reslice(voxels, through, { mode: 'mip', thickness: 8 }, slabbed);
    expect(new Set(slabbed.states)).toEqual(new Set([MISSING]));
    voxels.put(4, new Int16Array(16).fill(5));
    expect(voxels.complete).toBe(true);
    reslice(voxels, through, { mode: 'minip', thickness: 8 }, slabbed);
    expect(slabbed.values[4]).toBe(5);
  });

  it('coarse lies where the fine one does', () => {
    const cut: Cut = { corner: [0, 0, 0], right: [0.5, 0, 0], down: [0, 0.5, 0], normal: [0, 0, 1], width: 8, height: 8 };
    expect(coarser(cut, 2)).toMatchObject({ corner: [0.25, 0.25, 0], right: [1, 0, 0], width: 4, height: 4 });
  });
});

describe('voxels', () => {
  const images = slices(range(3), { rows: 2, columns: 2 });
  const { lattice } = latticeOf(images);

  it('keeps values that do not fit into two bytes', () => {
    if (!lattice) throw new Error();
    const voxels = new Voxels(lattice, images);
    voxels.put(0, Int16Array.of(-1024, 1, 2, 3));
    voxels.put(1, Uint16Array.of(40000, 1, 2, 65535));
    voxels.put(2, Float32Array.of(0.5, 1, 2, 3));
    expect([...voxels.data]).toEqual([-1024, 1, 2, 3, 40000, 1, 2, 65535, 0.5, 1, 2, 3]);
  });

  it('refuses what does not fit into memory, and pixels of another image', () => {
    if (!lattice) throw new Error();
    expect(() => new Voxels(lattice, images, 4)).toThrow(TooLarge);
    const tight = new Voxels(lattice, images, 24);
    expect(() => tight.put(0, Uint16Array.of(40000, 0, 0, 0))).toThrow(TooLarge);
    expect(() => tight.put(0, Int16Array.of(1, 2))).toThrow(RangeError);
  });

  it('probes the nearest voxel, nothing outside, and says where a slice is not in', () => {
    const voxels = volume(slices(range(4), { rows: 3, columns: 3 }), (i, j, k) => i + 10 * j + 100 * k, [2]);
    expect(voxels.at(toPlace(voxels.lattice, [1.4, 1.6, 0.9]))).toBe(121);
    expect(voxels.at(toPlace(voxels.lattice, [1, 1, 2]))).toBeNull();
    expect(voxels.at(toPlace(voxels.lattice, [3, 1, 2]))).toBeUndefined();
  });

  it('holds every second pixel where it must, with their own values in their own place', () => {
    const large = slices(range(3), { rows: 4, columns: 4 });
    const found = latticeOf(large).lattice;
    if (!found) throw new Error();
    const voxels = new Voxels(found, large, 40);
    for (let k = 0; k < 3; k++) voxels.put(k, Int16Array.from({ length: 16 }, (_, n) => n));
    expect(voxels.every).toBe(2);
    expect([...voxels.data.slice(0, 4)]).toEqual([0, 2, 8, 10]);
    expect(voxels.at(toPlace(found, [2, 2, 1]))).toBe(10);
  });
});

describe('planes', () => {
  it('are looked at from the feet, the front and the left', () => {
    expect(edgesOf(axial)).toEqual({ left: 'R', right: 'L', top: 'A', bottom: 'P' });
    expect(edgesOf(coronal)).toEqual({ left: 'R', right: 'L', top: 'H', bottom: 'F' });
    expect(edgesOf(sagittal)).toEqual({ left: 'A', right: 'P', top: 'H', bottom: 'F' });
  });

  it.each([AXIAL, [[0, 1, 0], [0, 0, -1]], [[1, 0, 0], [0, 0, -1]], [[-1, 0, 0], [0, -1, 0]]] as [Triple, Triple][])('show the left of the patient on the right whatever way the slices were taken', (row, column) => {
    const step: Triple = [row[1] * column[2] - row[2] * column[1], row[2] * column[0] - row[0] * column[2], row[0] * column[1] - row[1] * column[0]];
    const images = range(8, 1).map((n) => slice(step.map((v) => v * n * 0.6) as Triple, { orientation: [row, column], rows: 8, columns: 8, spacing: [0.6, 0.6] }));
    const { lattice } = latticeOf(images);
    if (!lattice) throw new Error();
    const middle = middleOf(boxOf(lattice));
    // bright on the patient's left, above the middle: a mark that knows its place in the body
    const voxels = volume(images, (i, j, k) => { const at = toPlace(lattice, [i, j, k]); return at[0] > middle[0] && at[2] > middle[2] ? 1000 : 0; });
    const cut = cutOf(coronal, { middle, scale: 0.6 }, settle(lattice, middle), 8, 8);
    const out = emptyPicture(cut);
    reslice(voxels, cut, THIN, out);
    const at = (x: number, y: number): number | undefined => out.values[y * 8 + x];
    expect([at(1, 1), at(6, 1), at(1, 6), at(6, 6)]).toEqual([0, 1000, 0, 0]);
  });

  it('turn a pixel into a place and back', () => {
    for (const plane of PLANES) {
      const look = { middle: [3, 4, 5] as Triple, scale: 0.3 };
      const place = placeOf(plane, look, [9, 9, 9], [12, 50], 100, 80);
      pixelOf(plane, look, place, 100, 80).forEach((value, n) => expect(value).toBeCloseTo([12, 50][n] as number, 9));
      expect(place[plane.normal.indexOf(1)]).toBe(9);
    }
  });

  it('count their images by the voxels', () => {
    const { lattice } = latticeOf(slices(range(6)));
    if (!lattice) throw new Error();
    expect(PLANES.map((plane) => placeIn(lattice, plane, toPlace(lattice, [4, 2, 3])))).toEqual([{ index: 3, count: 6 }, { index: 2, count: 4 }, { index: 4, count: 5 }]);
    expect(PLANES.map((plane) => Number(stepOf(lattice, plane).toFixed(6)))).toEqual([2, 0.5, 0.7]);
    expect(settle(lattice, [99, 99, 99])).toEqual(toPlace(lattice, [4, 3, 5]));
  });

  it('say a place in the letters of the body', () => {
    expect(words([12, -3.52, 40])).toBe('L 12.0 \u00b7 A 3.5 \u00b7 H 40.0 mm');
  });
});
