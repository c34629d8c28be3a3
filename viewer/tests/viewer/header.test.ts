import { describe, expect, it } from 'vitest';
import { readHeader } from '../../src/viewer/dicom/header';
import { readStack } from '../../src/viewer/dicom/images';
import { SYNTAX } from '../../src/viewer/dicom/part10';
import { agrees, readArrived } from '../../src/viewer/transfer/arriving';
import { slice } from './files';

const v = (...Value: unknown[]): { Value: unknown[] } => ({ Value });
/** The same image as an archive's metadata tells it. */
const METADATA = {
  '00080016': v('1.2.840.10008.5.1.4.1.1.2'), '00080018': v('9'), '00080060': v('CT'), '0020000D': v('1'), '0020000E': v('2'), '00200013': v(1),
  '00200032': v(-1.5, 0, 7), '00200037': v(1, 0, 0, 0, 1, 0), '00280002': v(1), '00280004': v('MONOCHROME2'), '00280008': v(1), '00280010': v(2), '00280011': v(2),
  '00280030': v(0.5, 0.6), '00280100': v(16), '00280101': v(12), '00280103': v(0), '00281050': v(40, -600), '00281051': v(400, 1500), '00281052': v(-1024), '00281053': v(1),
};

describe('the header of one file', () => {
  for (const syntax of [SYNTAX.explicit, SYNTAX.implicit, SYNTAX.big]) {
    it(`says the same image as the metadata (${syntax})`, () => {
      expect(readStack([readHeader(slice({ syntax })) ?? {}])).toEqual(readStack([METADATA]));
    });
  }

  it('holds nothing about the person', () => {
    expect(JSON.stringify(readHeader(slice()))).not.toContain('Doe');
  });

  it('leaves several frames and what is cut short to the metadata', () => {
    expect(readHeader(slice({ frames: 2 }))).toBeNull();
    const whole = slice();
    for (let length = 0; length < whole.length - 12; length += 7) expect(readHeader(whole.slice(0, length))).toBeNull();
  });
});

describe('a file that arrives', () => {
  it('is values at once where it is plain and grey', async () => {
    const { frames, values } = await readArrived(slice());
    expect([frames, [...(values?.read.data ?? [])], values?.read.min, values?.read.max]).toEqual([[], [-1024, 0, 1024, 3071], -1024, 3071]);
    expect(agrees(readStack([METADATA])[0] as never, values?.as as never)).toBe(true);
  });

  it('keeps its bytes where a decoder or the metadata is needed', async () => {
    for (const more of [{ syntax: SYNTAX.big }, { photometric: 'PALETTE COLOR' }, { frames: 2, values: [1, 2, 3, 4, 5, 6, 7, 8] }]) {
      const { frames, values } = await readArrived(slice(more));
      expect([values, frames.length, frames[0]?.length]).toEqual([null, more.frames ?? 1, 8]);
    }
  });

  it('is told apart when its header reads the pixels otherwise', async () => {
    const image = readStack([METADATA])[0] as never;
    for (const more of [{ slope: '2' }, { bitsStored: 16 }, { photometric: 'MONOCHROME1' }]) {
      expect(agrees(image, (await readArrived(slice(more))).values?.as as never)).toBe(false);
    }
  });
});
