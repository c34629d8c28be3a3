import { describe, expect, it } from 'vitest';
import { readQuantity, suvFactor } from '../../../src/viewer/dicom/quantity';
import type { Dataset } from '../../../src/viewer/dicom/json';
import { toPlace, toWorld } from '../../../src/viewer/marks/plane';
import { linesUnder } from '../../../src/viewer/marks/picture';
import { distance, linesOf, statistics, valuesOf } from '../../../src/viewer/marks/values';

const v = (...Value: unknown[]): { Value: unknown[] } => ({ Value });
const HU = { unit: "[hnsf'U]", suv: null, remark: '' } as const;
const image = { rows: 10, columns: 10, spacing: [2, 0.5] as [number, number], regions: [], samples: 1, quantity: HU };
const ramp = Float64Array.from({ length: 100 }, (_, i) => i - 1000);

describe('values of a mark', () => {
  it('counts the pixels whose middle is inside', () => {
    const found = statistics('rectangle', [[2, 3], [5, 3], [5, 5], [2, 5]], ramp, 10, 10);
    // numpy: a[3:5, 2:5] of arange(100).reshape(10, 10) - 1000
    expect(found).toEqual({ count: 6, mean: -962, sd: expect.closeTo(5.066228051190222, 10), min: -968, max: -956 });
  });

  it('takes an ellipse as one, turned or not', () => {
    // numpy: (((x+.5-5)/3)**2 + ((y+.5-5)/2)**2 <= 1), 20 pixels
    expect(statistics('ellipse', [[2, 5], [8, 5], [5, 3], [5, 7]], ramp, 10, 10)).toMatchObject({ count: 20, mean: expect.closeTo(-950.5, 9), min: -967, max: -934 });
    const turned = statistics('ellipse', [[3, 3], [7, 7], [4, 6], [6, 4]], ramp, 10, 10);
    expect(turned?.mean).toBeCloseTo(-950.5, 9);
  });

  it('says nothing outside the picture, and leaves out what hangs over its edge', () => {
    expect(statistics('rectangle', [[20, 20], [30, 20], [30, 30], [20, 30]], ramp, 10, 10)).toBeNull();
    expect(statistics('rectangle', [[-5, -5], [1, -5], [1, 1], [-5, 1]], ramp, 10, 10)).toMatchObject({ count: 1, mean: -1000 });
  });

  it('measures in mm with the spacing of each direction', () => {
    expect(valuesOf('length', [[0, 0], [4, 0]], image, null)).toEqual([{ what: 'length', value: 2, unit: 'mm' }]);
    expect(valuesOf('length', [[0, 0], [0, 4]], image, null)).toEqual([{ what: 'length', value: 8, unit: 'mm' }]);
    expect(valuesOf('bidirectional', [[0, 0], [0, 4], [0, 2], [4, 2]], image, null).map(({ what, value }) => [what, value])).toEqual([['long', 8], ['short', 2]]);
    expect(valuesOf('angle', [[4, 0], [0, 0], [0, 4]], image, null)[0]?.value).toBeCloseTo(90, 9);
    expect(valuesOf('angle', [[4, 1], [0, 0], [4, 0]], image, null)[0]?.value).toBeCloseTo(45, 9); // 2 mm across, 2 mm down
    expect(valuesOf('ellipse', [[0, 5], [8, 5], [4, 4], [4, 6]], image, ramp)[0]).toEqual({ what: 'area', value: Math.PI * 2 * 2, unit: 'mm2' });
  });

  it('measures nothing where the size is not known, and still reads the pixels', () => {
    const bare = { ...image, spacing: null };
    expect(distance(bare, [0, 0], [4, 0])).toBeNull();
    expect(valuesOf('length', [[0, 0], [4, 0]], bare, null)).toEqual([]);
    expect(valuesOf('angle', [[4, 0], [0, 0], [0, 4]], bare, null)).toEqual([]);
    expect(valuesOf('rectangle', [[2, 3], [5, 3], [5, 5], [2, 5]], bare, ramp).map(({ what }) => what)).toEqual(['mean', 'sd', 'min', 'max']);
    expect(valuesOf('rectangle', [[2, 3], [5, 3], [5, 5], [2, 5]], { ...bare, samples: 3 }, ramp)).toEqual([]);
  });

  it('reads the pixel that a point lies in', () => {
    expect(valuesOf('probe', [[3.99, 2.01]], image, ramp)).toEqual([{ what: 'value', value: -977, unit: "[hnsf'U]" }]);
    expect(valuesOf('probe', [[10.1, 2]], image, ramp)).toEqual([]);
    expect(linesOf(valuesOf('probe', [[3.99, 2.01]], image, ramp))).toEqual(['\u2212977 HU']);
  });

  it('goes from a place to the patient and back', () => {
    const plane = { orientation: [[0, 1, 0], [0, 0, -1]] as [[number, number, number], [number, number, number]], position: [10, 20, 30] as [number, number, number], rows: 9, columns: 9, spacing: [2, 0.5] as [number, number], aspect: null };
    expect(toWorld(plane, [0.5, 0.5])).toEqual([10, 20, 30]);
    expect(toWorld(plane, [4.5, 1.5])).toEqual([10, 22, 28]);
    expect(toPlace(plane, [10, 22, 28])).toEqual([4.5, 1.5]);
  });
});

const PET: Dataset = {
  '00080060': v('PT'), '00541001': v('BQML'), '00280051': v('DECY', 'ATTN', 'SCAT'), '00541102': v('START'), '00101030': v(70), '00080021': v('20260102'), '00080031': v('101500'), '00080022': v('20260102'),
  '00080032': v('101600'), '00540016': v({ '00181074': v(350e6), '00181075': v(6586.2), '00181072': v('091500.00') }),
};

describe('SUV', () => {
  it('is body weight over the dose as it had decayed when the scan began', () => {
    // python: 70000 / (350e6 * 2 ** (-3600 / 6586.2))
    expect(suvFactor(PET)).toBeCloseTo(0.00029212734924436573, 15);
    expect(readQuantity(PET)).toMatchObject({ unit: 'Bq/ml', remark: '' });
    expect(suvFactor({ ...PET, '00541102': v('ADMIN') })).toBeCloseTo(0.0002, 12);
  });

  it.each([
    ['weight', { '00101030': v(0) }], ['weight', { '00101030': undefined }], ['corrected', { '00280051': v('DECY') }], ['decay', { '00541102': v('NONE') }], ['dose', { '00540016': v({ '00181075': v(6586.2) }) }],
    ['half life', { '00540016': v({ '00181074': v(350e6) }) }], ['radiopharmaceutical', { '00540016': v({ '00181074': v(1) }, { '00181074': v(1) }) }], ['injection', { '00540016': v({ '00181074': v(350e6), '00181075': v(6586.2) }) }],
    ['injection', { '00540016': v({ '00181074': v(350e6), '00181075': v(6586.2), '00181072': v('111500') }) }], ['start of the scan', { '00080031': v('101700') }],
  ] as [string, Dataset][])('is not known without %s', (why, more) => {
    expect(suvFactor({ ...PET, ...more })).toContain(why);
    const quantity = readQuantity({ ...PET, ...more });
    expect(quantity.suv).toBeNull();
    expect(linesOf(valuesOf('probe', [[0.5, 0.5]], { ...image, quantity }, [12345]), quantity.remark)).toEqual(['12345 Bq/ml', expect.stringMatching(/^SUV not known/)]);
  });

  it('is never said of other units, and HU only of CT that says so', () => {
    expect(readQuantity({ ...PET, '00541001': v('CNTS') })).toMatchObject({ unit: '1', suv: null });
    const ct = { '00080060': v('CT'), '00281052': v(-1024), '00281053': v(1) };
    expect(readQuantity({ ...ct, '00281054': v('HU') }).unit).toBe("[hnsf'U]");
    expect(readQuantity({ ...ct, '00281054': v('US') }).unit).toBe('1');
    expect(readQuantity({ ...ct, '00080016': v('1.2.840.10008.5.1.4.1.1.2') }).unit).toBe("[hnsf'U]");
    expect(readQuantity({ ...ct, '00281054': v('HU'), '00281053': undefined }).unit).toBe('1');
    expect(readQuantity({ '00080060': v('MR'), '00281052': v(0), '00281053': v(1) }).unit).toBe('1');
  });
});

describe('a picture that is taken out', () => {
  it('names the source and what it is not for, and nobody unless asked', () => {
    expect(linesUnder('Kestrel', '12 Jan 2026', null)).toEqual(['Kestrel \u00b7 12 Jan 2026 \u00b7 Not for diagnosis']);
    expect(linesUnder('', '', { name: 'MARCHETTI', born: '', id: 'K-1' })).toEqual(['Source not known \u00b7 Not for diagnosis', 'MARCHETTI \u00b7 K-1']);
  });
});
