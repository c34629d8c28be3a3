import { describe, expect, it } from 'vitest';
import { readHead, readStack, slicePosition } from '../../src/viewer/dicom/images';
import type { Dataset } from '../../src/viewer/dicom/json';
import { moduleOf } from '../../src/viewer/dicom/modules';
import { edgeLetters, fromVector } from '../../src/viewer/dicom/orientation';

const v = (...Value: unknown[]): { Value: unknown[] } => ({ Value });
function instance(uid: string, more: Dataset = {}): Dataset {
  return { '00080018': v(uid), '00280010': v(4), '00280011': v(4), '00080060': v('CT'), ...more };
}
const axial = { '00200037': v(1, 0, 0, 0, 1, 0) };

describe('the stack', () => {
  it('is in instance order, numbers as strings too, and leaves out what has no picture', () => {
    const stack = readStack([instance('c', { '00200013': v('10') }), instance('a', { '00200013': v(2) }), { '00080018': v('report') }]);
    expect(stack.map((image) => image.instance)).toEqual(['a', 'c']);
  });

  it('falls back to the place in the body', () => {
    const at = (z: number): Dataset => ({ ...axial, '00200032': v(0, 0, z) });
    expect(readStack([instance('x', at(9)), instance('y', at(-9))]).map((image) => image.instance)).toEqual(['y', 'x']);
  });

  it('reads an enhanced object frame by frame', () => {
    const frame = (z: number): Dataset => ({ '00209113': v({ '00200032': v(0, 0, z) }), '00289132': v({ '00281050': v(z), '00281051': v(100) }) });
    const stack = readStack([instance('e', {
      '00280008': v(2), '52009229': v({ '00289110': v({ '00280030': v(0.5, 0.6), '00180050': v(3) }), '00209116': v(axial) }), '52009230': v(frame(1), frame(2)),
    })]);
    expect(stack.map((image) => [image.frame, image.spacing, slicePosition(image), image.windows[0]?.center])).toEqual([[1, [0.5, 0.6], 1, 1], [2, [0.5, 0.6], 2, 2]]);
  });

  it('knows no size from a detector, from zero or from nothing', () => {
    for (const more of [{}, { '00181164': v(0.1, 0.1) }, { '00280030': v(0, 0) }]) expect(readStack([instance('a', more)])[0]?.spacing).toBeNull();
  });

  it('drops a window of width 0, so that the image opens over its own range', () => {
    const [image] = readStack([instance('a', { '00281050': v(0, 40), '00281051': v(0, 80) })]);
    expect(image?.windows).toEqual([{ center: 40, width: 80, name: '' }]);
    const [bare] = readStack([instance('b', { '00281050': v(0), '00281051': v(0) })]);
    expect(bare && moduleOf('voiLutModule', bare, null)).toEqual({});
  });

  it('takes the frame rate from whichever element has it', () => {
    const rate = (more: Dataset): number | null | undefined => readStack([instance('a', more)])[0]?.frameRate;
    expect(rate({ '00181063': v('40') })).toBe(25);
    expect(rate({ '00180040': v('15') })).toBe(15);
    expect(rate({})).toBeNull();
  });

  it('survives elements of the wrong type', () => {
    expect(() => readStack([instance('a', { '00200037': v('x', null), '00281050': v(null), '00280030': {} }), {}])).not.toThrow();
  });

  it('reads whose file it is', () => {
    expect(readHead({ '00100010': v({ Alphabetic: 'Marchetti^Rosalind^Jane' }), '00100020': v('40771953') })).toMatchObject({ name: 'MARCHETTI, Rosalind Jane', id: '40771953', born: null });
  });

  it('never lets PT pass for SUV', () => {
    const [image] = readStack([instance('a', { '00080060': v('PT') })]);
    expect(image && moduleOf('generalSeriesModule', image, null)).toEqual({ modality: 'NM' });
  });
});

describe('edge letters', () => {
  const file = { orientation: [[1, 0, 0], [0, 1, 0]], patientOrientation: null } as Parameters<typeof edgeLetters>[0];

  it('names an axial slice, turned and flipped', () => {
    expect(edgeLetters(file, [1, 0], [0, 1])).toEqual({ left: 'R', right: 'L', top: 'A', bottom: 'P' });
    expect(edgeLetters(file, [-1, 0], [0, 1])).toEqual({ left: 'L', right: 'R', top: 'A', bottom: 'P' });
    expect(edgeLetters(file, [0, -1], [1, 0])).toEqual({ left: 'P', right: 'A', top: 'R', bottom: 'L' });
  });

  it('names sagittal, coronal and slanted ones', () => {
    const with_ = (row: number[], column: number[]): Parameters<typeof edgeLetters>[0] => ({ orientation: [row, column], patientOrientation: null }) as never;
    expect(edgeLetters(with_([0, 1, 0], [0, 0, -1]), [1, 0], [0, 1])).toEqual({ left: 'A', right: 'P', top: 'H', bottom: 'F' });
    expect(edgeLetters(with_([1, 0, 0], [0, 0, -1]), [1, 0], [0, 1])).toEqual({ left: 'R', right: 'L', top: 'H', bottom: 'F' });
    expect(fromVector([0, 0.9, 0.43])).toBe('PH');
  });

  it('uses the letters of a projection, and none where the file gives none or a slanted turn', () => {
    const chest = { orientation: null, patientOrientation: ['L', 'F'] } as Parameters<typeof edgeLetters>[0];
    expect(edgeLetters(chest, [1, 0], [0, 1])).toEqual({ left: 'R', right: 'L', top: 'H', bottom: 'F' });
    expect(edgeLetters(chest, [-1, 0], [0, 1])?.right).toBe('R');
    expect(edgeLetters(chest, [1, 1], [-1, 1])).toBeNull();
    expect(edgeLetters({ orientation: null, patientOrientation: null }, [1, 0], [0, 1])).toBeNull();
  });

  it('refuses directions that are no directions', () => {
    expect(readStack([instance('a', { '00200037': v(1, 1, 0, 0, 1, 0) })])[0]?.orientation).toBeNull();
  });
});
