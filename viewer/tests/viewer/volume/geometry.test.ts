import { describe, expect, it } from 'vitest';
import type { StackImage, Triple } from '../../../src/viewer/dicom/images';
import { readStack } from '../../../src/viewer/dicom/images';
import { latticeOf, subsampling, thinned } from '../../../src/viewer/volume/geometry';
import { toIndex, toPlace } from '../../../src/viewer/volume/voxels';
import { AXIAL, range, slice, slices } from './series';

const why = (images: StackImage[]): string | null => latticeOf(images).why;

describe('a series that is one volume', () => {
  it('gives the place of every voxel', () => {
    const { lattice } = latticeOf(slices(range(6)));
    expect(lattice?.size).toEqual([5, 4, 6]);
    expect(lattice && toPlace(lattice, [1, 2, 3])).toEqual([-10 + 0.7, -20 + 2 * 0.5, 6]);
    expect(lattice?.notes).toEqual([]);
  });

  it('puts slices in order of place, whatever order they are numbered in', () => {
    expect(latticeOf(slices([8, 0, 4, 2, 6])).lattice?.order).toEqual([1, 3, 2, 4, 0]);
    expect(latticeOf(slices(range(5).reverse())).lattice?.order).toEqual([4, 3, 2, 1, 0]);
  });

  it('goes there and back for sagittal, slanted and tilted ones', () => {
    const turn = Math.PI / 7;
    const slanted: [Triple, Triple] = [[Math.cos(turn), Math.sin(turn), 0], [0, 0, -1]];
    const along: Triple = [-Math.sin(turn), Math.cos(turn), 0];
    for (const [orientation, step] of [
      [[[0, 1, 0], [0, 0, -1]], [1, 0, 0]], [slanted, along], [AXIAL, [0, 0.5, 2]],
    ] as [[Triple, Triple], Triple][]) {
      const { lattice, why: no } = latticeOf(range(6, 1).map((n) => slice(step.map((v) => v * n * 1.5) as Triple, { orientation })));
      expect(no).toBeNull();
      if (!lattice) continue;
      for (const index of [[0, 0, 0], [4, 3, 5], [2, 1, 3]] as Triple[]) {
        toIndex(lattice)(toPlace(lattice, index)).forEach((value, axis) => expect(value).toBeCloseTo(index[axis] as number, 9));
      }
    }
  });

  it('takes a gantry tilt into account and says so', () => {
    const { lattice } = latticeOf(range(6).map((z) => slice([-10, -20 + z * Math.tan((12 * Math.PI) / 180), z])));
    expect(lattice?.notes).toEqual(['Gantry tilt 12.0\u00b0 taken into account']);
    expect(lattice?.steps[2][1]).toBeCloseTo(2 * Math.tan((12 * Math.PI) / 180), 9);
  });

  it('bears what rounding to hundredths does to the places', () => {
    const step = 0.6251;
    expect(why(range(400, 1).map((n) => slice([-10, -20, Number((n * step).toFixed(2))])))).toBeNull();
  });

  it('leaves a localizer out, and says so', () => {
    const scout = slice([0, 0, 0], { orientation: [[1, 0, 0], [0, 0, -1]] });
    const { lattice } = latticeOf([scout, ...slices(range(12))]);
    expect(lattice?.order).toEqual(range(12, 1, 1));
    expect(lattice?.notes).toEqual(['1 image of another kind (localizer) left out']);
  });

  it('says what lies between the slices and was not imaged', () => {
    expect(latticeOf(slices(range(5, 7.5), { thickness: 5 })).lattice?.notes).toEqual(['2.5 mm between slices not imaged']);
  });

  it('is made of the frames of one enhanced object as well', () => {
    const v = (...Value: unknown[]): { Value: unknown[] } => ({ Value });
    const frame = (z: number): object => ({ '00209113': v({ '00200032': v(0, 0, z) }) });
    const images = readStack([{
      '00080018': v('e'), '00280010': v(4), '00280011': v(4), '00280008': v(4), '00280004': v('MONOCHROME2'),
      '52009229': v({ '00289110': v({ '00280030': v(0.5, 0.6) }), '00209116': v({ '00200037': v(1, 0, 0, 0, 1, 0) }) }), '52009230': v(frame(6), frame(4), frame(2), frame(0)),
    }]);
    expect(latticeOf(images).lattice).toMatchObject({ size: [4, 4, 4], order: [3, 2, 1, 0] });
  });
});

describe('a series that is not one volume says why', () => {
  const told = (images: StackImage[]): string => (why(images) ?? 'a volume').replace('Not a volume: ', '');

  it.each<[string, StackImage[], string]>([
    ['one image', slices([0]), 'it is one image.'],
    ['two images', slices([0, 2]), 'it has 2 images.'],
    ['two slices lost', slices([0, 2, 4, 10, 12, 14]), '2 slices are missing between images 3 and 4.'],
    ['one slice lost', slices([0, 2, 6, 8, 10]), '1 slice is missing between images 2 and 3.'],
    ['lost in a stack numbered from the head', slices([10, 8, 6, 2, 0]), '1 slice is missing between images 3 and 4.'],
    ['uneven', slices([0, 2, 4, 7.1, 9.1, 11.1]), 'the slices are not evenly apart: 3.1 mm between images 3 and 4, 2 mm elsewhere.'],
    ['slowly drifting', slices(range(40, 1).map((n) => n * 2 + n * n * 0.004)), 'the slices are not evenly apart'],
    ['two phases', slices([...range(6), ...range(6)]), '2 images lie at every place (phases, echoes or repeats).'],
    ['one slice twice', slices([0, 2, 4, 4, 6, 8]), 'images 3 and 4 lie at the same place.'],
    ['a cine', slices([5, 5, 5, 5]), 'all images lie at the same place.'],
    ['shifted sideways', [...slices(range(5)), slice([-7, -20, 10]), ...slices(range(5, 2, 12))], 'shifted sideways'],
    ['mixed sizes', [...slices(range(4)), ...slices(range(4, 2, 8), { rows: 8 })], '4 of 8 images have another number of pixels.'],
    ['mixed pixel sizes', [...slices(range(4)), ...slices(range(4, 2, 8), { spacing: [0.6, 0.7] })], '4 of 8 images have another pixel size.'],
    ['three localizer planes', [[[1, 0, 0], [0, 1, 0]], [[1, 0, 0], [0, 0, -1]], [[0, 1, 0], [0, 0, -1]]].flatMap((o) => slices(range(3), { orientation: o as never })), '6 of 9 images have another direction.'],
    ['a fan', range(6, 1).map((n) => slice([0, 0, n], { orientation: [[Math.cos(n / 5), Math.sin(n / 5), 0], [-Math.sin(n / 5), Math.cos(n / 5), 0]] })), 'have another direction.'],
    ['a patient who moved', [...slices(range(4)), ...slices(range(4, 2, 8), { frameOfReference: '9' })], 'the images were taken in different positions of the patient.'],
    ['no positions', slices(range(5)).map((each) => ({ ...each, position: null })), 'the images do not say where in the body they lie.'],
    ['no directions', slices(range(5), { orientation: null }), 'the images do not say where in the body they lie.'],
    ['no pixel size', slices(range(5), { spacing: null }), 'the size of a pixel is not known.'],
    ['colour', slices(range(5), { samples: 3, photometric: 'RGB' }), 'the images are in colour.'],
    ['sheared beyond a gantry', range(5).map((z) => slice([0, z * 1.2, z])), 'the slices are shifted against each other by more than they are apart.'],
  ])('%s', (_name, images, sentence) => {
    expect(told(images)).toContain(sentence);
  });

  it('never throws on nonsense', () => {
    for (const bad of [NaN, Infinity, -1e300, 1e-300, 0]) {
      expect(() => latticeOf(slices([0, bad, 4, 6]))).not.toThrow();
      expect(() => latticeOf(slices(range(5), { spacing: [bad, bad] as never }))).not.toThrow();
    }
    expect(why(slices([0, NaN, 4, 6]))).not.toBeNull();
    expect(why([])).not.toBeNull();
  });
});

describe('memory', () => {
  const { lattice } = latticeOf(slices(range(6)));
  it('keeps every pixel where it fits, else every second or fourth, else none', () => {
    if (!lattice) throw new Error('no volume');
    expect(subsampling(lattice, 2, 240)?.every).toBe(1);
    expect(subsampling(lattice, 2, 239)).toEqual({ every: 2, bytes: 3 * 2 * 6 * 2 });
    expect(subsampling(lattice, 2, 71)?.every).toBe(4);
    expect(subsampling(lattice, 2, 10)).toBeNull();
  });

  it('keeps the places of the pixels that stay', () => {
    if (!lattice) throw new Error('no volume');
    expect(toPlace(thinned(lattice, 2), [1, 1, 1])).toEqual(toPlace(lattice, [2, 2, 1]));
  });
});
