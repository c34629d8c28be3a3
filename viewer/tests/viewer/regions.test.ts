import { describe, expect, it } from 'vitest';
import { readStack } from '../../src/viewer/dicom/images';
import type { Dataset } from '../../src/viewer/dicom/json';
import { hasLengths, measureBetween, readRegions, regionAt, velocityAt } from '../../src/viewer/dicom/regions';

const v = (...Value: unknown[]): { Value: unknown[] } => ({ Value });

function region(format: number, box: [number, number, number, number], units: [number, number], deltas: [number, number], more: Dataset = {}): Dataset {
  const [x0, y0, x1, y1] = box;
  return {
    '00186012': v(format), '00186018': v(x0), '0018601A': v(y0), '0018601C': v(x1), '0018601E': v(y1),
    '00186024': v(units[0]), '00186026': v(units[1]), '0018602C': v(deltas[0]), '0018602E': v(deltas[1]), ...more,
  };
}
const PICTURE = region(1, [0, 0, 299, 199], [3, 3], [0.05, 0.04]);
const SPECTRUM = region(3, [0, 210, 299, 309], [4, 7], [0.01, -2], { '00186022': v(60) });
const MOTION = region(2, [0, 320, 299, 400], [4, 3], [0.005, 0.05]);
const regions = readRegions({ '00186011': v(PICTURE, SPECTRUM, MOTION) });

describe('ultrasound regions', () => {
  it('measure a length in mm within one region of space, by each direction\u2019s own size', () => {
    expect(measureBetween(regions, { x: 10, y: 10 }, { x: 70, y: 10 })).toEqual({ kind: 'length', mm: 30 });
    expect(measureBetween(regions, { x: 10, y: 10 }, { x: 70, y: 110 })).toEqual({ kind: 'length', mm: 50 });
  });

  it('measure time and velocity in a spectrum, and never mm', () => {
    expect(measureBetween(regions, { x: 10, y: 220 }, { x: 60, y: 270 })).toEqual({ kind: 'spectrum', ms: 500, cmPerSecond: 100 });
    expect(velocityAt(regions, { x: 10, y: 220 })).toBeCloseTo(100);
    expect(velocityAt(regions, { x: 10, y: 290 })).toBeCloseTo(-40);
    expect(velocityAt(regions, { x: 10, y: 10 })).toBeNull();
  });

  it('measure time and depth in M-mode', () => {
    expect(measureBetween(regions, { x: 100, y: 330 }, { x: 0, y: 350 })).toEqual({ kind: 'motion', ms: 500, mm: 10 });
  });

  it('know no size outside, across two, or where the file gives no regions', () => {
    expect(measureBetween(regions, { x: 10, y: 205 }, { x: 60, y: 205 })).toBeNull();
    expect(measureBetween(regions, { x: 10, y: 190 }, { x: 10, y: 215 })).toBeNull();
    expect(measureBetween([], { x: 1, y: 1 }, { x: 2, y: 2 })).toBeNull();
  });

  it('take the smaller of two that lie over one another', () => {
    const inset = readRegions({ '00186011': v(PICTURE, region(3, [100, 100, 150, 150], [4, 7], [0.01, 1])) });
    expect(regionAt(inset, { x: 120, y: 120 })?.kind).toBe('spectrum');
    expect(measureBetween(inset, { x: 90, y: 120 }, { x: 120, y: 120 })).toBeNull();
  });

  it('say nothing in mm where the units do not fit or the size is zero or missing', () => {
    for (const bad of [region(1, [0, 0, 9, 9], [4, 4], [1, 1]), region(1, [0, 0, 9, 9], [3, 3], [0, 0.1]), region(1, [0, 0, 9, 9], [3, 0], [0.1, 0.1]), region(5, [0, 0, 9, 9], [3, 3], [0.1, 0.1])]) {
      const read = readRegions({ '00186011': v(bad) });
      expect(read).toHaveLength(1);
      expect(hasLengths(read)).toBe(false);
      expect(measureBetween(read, { x: 1, y: 1 }, { x: 5, y: 5 })).toBeNull();
    }
    expect(readRegions({ '00186011': v(region(1, [9, 9, 0, 0], [3, 3], [1, 1]), {}, null, 'x') })).toEqual([]);
  });

  it('come with every frame of a loop', () => {
    const stack = readStack([{ '00080018': v('a'), '00280010': v(4), '00280011': v(4), '00280008': v(2), '00186011': v(PICTURE) }]);
    expect(stack.map((image) => hasLengths(image.regions))).toEqual([true, true]);
  });
});
