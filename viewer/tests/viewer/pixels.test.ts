import { describe, expect, it } from 'vitest';
import type { StackImage } from '../../src/viewer/dicom/images';
import { applyPalette, readTable } from '../../src/viewer/dicom/palette';
import { readValues, scaleValues } from '../../src/viewer/dicom/pixels';
import { canDraw, syntaxOf } from '../../src/viewer/dicom/syntaxes';
import { fullRange, grey, presetOf, presetsFor } from '../../src/viewer/windows';

function image(more: Partial<StackImage>): StackImage {
  return { rows: 1, columns: 4, samples: 1, photometric: 'MONOCHROME2', bitsAllocated: 16, bitsStored: 16, signed: false, slope: 1, intercept: 0, ...more } as StackImage;
}
const words = (...values: number[]): Uint8Array<ArrayBuffer> => new Uint8Array(Uint16Array.from(values).buffer);

describe('values', () => {
  it('spreads the sign of 12 stored bits and gives HU', () => {
    const { data, min, max } = readValues(image({ bitsStored: 12, signed: true, intercept: -1024 }), words(0x0fff, 0, 0x07ff, 0x0800));
    expect([...data]).toEqual([-1025, -1024, 1023, -3072]);
    expect([min, max]).toEqual([-3072, 1023]);
  });

  it('ignores an old overlay in the high bits', () => {
    expect([...readValues(image({ bitsStored: 12 }), words(0xf001, 2, 3, 0x1fff)).data]).toEqual([1, 2, 3, 4095]);
  });

  it('keeps fractions of a slope, and large unsigned values', () => {
    expect([...readValues(image({ slope: 0.5 }), words(1, 2, 3, 4)).data]).toEqual([0.5, 1, 1.5, 2]);
    expect([...readValues(image({}), words(65535, 0, 1, 2)).data]).toEqual([65535, 0, 1, 2]);
  });

  it('believes the header when a code stream forgot the sign', () => {
    expect([...scaleValues(image({ bitsStored: 13, signed: true }), Uint16Array.from([0x1fff, 1, 0x1000, 0])).data]).toEqual([-1, 1, -4096, 0]);
  });

  it('reads from an odd place in a buffer', () => {
    const odd = new Uint8Array(9);
    odd.set(words(1, 2, 3, 4), 1);
    expect([...readValues(image({}), odd.subarray(1)).data]).toEqual([1, 2, 3, 4]);
  });

  it('refuses too few bytes', () => {
    expect(() => readValues(image({}), words(1, 2, 3))).toThrow(RangeError);
  });
});

describe('windows', () => {
  it('follows PS3.3 LINEAR at the ends and in the middle', () => {
    const window = { center: 40, width: 400 };
    expect(grey(-160, window)).toBe(0);
    expect(grey(239, window)).toBe(255);
    expect(grey(40, window)).toBe(128);
    expect([grey(9, { center: 10, width: 1 }), grey(10, { center: 10, width: 1 })]).toEqual([0, 255]);
  });

  it('shows the whole range where a file gives no window', () => {
    const window = fullRange(-1024, 3071);
    expect([grey(-1024, window), grey(3071, window)]).toEqual([0, 255]);
  });

  it('keeps keys 1 to 6 for the usual CT windows and offers no units elsewhere', () => {
    expect(presetsFor('CT', [{ center: 50, width: 350, name: 'WINDOW1' }]).slice(0, 6).map((p) => p.name)).toEqual(['Soft tissue', 'Lung', 'Bone', 'Brain', 'Stroke', 'Mediastinum']);
    expect(presetsFor('MR', [{ center: 600, width: 1600, name: '' }]).map((p) => p.name)).toEqual(['As sent', 'Full range']);
    expect(presetOf(presetsFor('CT', []), { center: 40, width: 80 })?.name).toBe('Brain');
  });
});

describe('palette', () => {
  it('takes the high byte of 16-bit entries, the low one when only it is used', () => {
    expect([...readTable([2, 0, 16], words(0xff00, 0x8000)).entries]).toEqual([255, 128]);
    expect([...readTable([2, 0, 16], words(0x00ff, 0x0080)).entries]).toEqual([255, 128]);
    expect([...readTable([2, 0, 8], Uint8Array.from([255, 128])).entries]).toEqual([255, 128]);
  });

  it('holds indexes outside the table to its ends', () => {
    const table = readTable([2, 10, 8], Uint8Array.from([1, 2]));
    const rgb = applyPalette(image({ bitsAllocated: 8, bitsStored: 8 }), Uint8Array.from([0, 10, 11, 200]), { red: table, green: table, blue: table });
    expect([...rgb]).toEqual([1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2]);
  });
});

describe('transfer syntaxes', () => {
  it('come from the part, else from its type, else from the first JPEG frame header', () => {
    expect(syntaxOf('image/jls; transfer-syntax=1.2.840.10008.1.2.4.81', new Uint8Array())).toBe('1.2.840.10008.1.2.4.81');
    expect(syntaxOf('image/jphc', new Uint8Array())).toBe('1.2.840.10008.1.2.4.201');
    expect(syntaxOf('application/octet-stream', new Uint8Array())).toBe('1.2.840.10008.1.2.1');
    expect(syntaxOf('image/jpeg', Uint8Array.from([0xff, 0xd8, 0xff, 0xc4, 0, 3, 0, 0xff, 0xc3, 0, 9, 8, 0, 1]))).toBe('1.2.840.10008.1.2.4.70');
  });

  it('know what cannot be drawn', () => {
    expect(canDraw('1.2.840.10008.1.2.4.203')).toBe(true);
    expect(canDraw('1.2.840.10008.1.2.4.102')).toBe(false);
  });
});
