import { describe, expect, it } from 'vitest';
import type { StackImage } from '../../src/viewer/dicom/images';
import { readStack } from '../../src/viewer/dicom/images';
import type { Dataset } from '../../src/viewer/dicom/json';
import { type Lut, type LutSource, applyLuts, lutWindow, readLut, readLuts } from '../../src/viewer/dicom/luts';
import { applyPalette, readTable } from '../../src/viewer/dicom/palette';
import { type Values, readValues, scaleValues } from '../../src/viewer/dicom/pixels';
import { canDraw, syntaxOf } from '../../src/viewer/dicom/syntaxes';
import { fullRange, grey, greyBy, presetOf, presetsFor } from '../../src/viewer/windows';

function image(more: Partial<StackImage>): StackImage {
  const bitsStored = more.bitsStored ?? 16;
  return { rows: 1, columns: 4, samples: 1, photometric: 'MONOCHROME2', bitsAllocated: 16, bitsStored, highBit: bitsStored - 1, signed: false, slope: 1, intercept: 0, ...more } as StackImage;
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

  it('takes the bits where High Bit says they lie', () => {
    const stored = words(0xfff3, 0x0010, 0x7ff0, 0x8005); // 12 bits, the upper ones of 16; the lower 4 are not ours
    expect([...readValues(image({ bitsStored: 12, highBit: 15 }), stored).data]).toEqual([0xfff, 1, 0x7ff, 0x800]);
    expect([...readValues(image({ bitsStored: 12, highBit: 15, signed: true }), stored).data]).toEqual([-1, 1, 0x7ff, -0x800]);
    expect([...readValues(image({ bitsStored: 12, highBit: 13 }), words(0x3ffc, 4, 0xc004, 0)).data]).toEqual([0xfff, 1, 1, 0]);
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

describe('the other functions of a window', () => {
  it('are PS3.3 LINEAR_EXACT and SIGMOID', () => {
    const window = { center: 40, width: 400 };
    const [exact, sigmoid] = [greyBy('LINEAR_EXACT'), greyBy('SIGMOID')];
    expect([-160, 40, 240].map((value) => exact(value, window))).toEqual([0, 128, 255]);
    expect([-160, 40, 240].map((value) => sigmoid(value, window))).toEqual([30, 128, 225]); // 255 / (1 + e^2), half, 255 / (1 + e^-2)
    expect(greyBy('SOMETHING')(239, window)).toBe(255);
  });
});

describe('lookup tables', () => {
  const v = (...Value: unknown[]): { Value: unknown[] } => ({ Value });
  const table = (descriptor: number[], entries: unknown[]): Dataset => ({ '00283002': v(...descriptor), '00283006': v(...entries) });
  const read = (of: LutSource | null | undefined, negative = false): Lut => { const lut = of && readLut(of, null, negative); if (!lut) throw new Error('no table'); return lut; };
  const values = (...list: number[]): Values => ({ data: Int16Array.from(list), min: Math.min(...list), max: Math.max(...list) });

  it('hold what lies outside to their ends', () => {
    const modality = read(readLuts({ '00283000': v(table([3, 10, 16], [100, 200, 5])) }, false)?.modality);
    const read_ = applyLuts(values(-4, 10, 11, 12, 900), { modality, voi: null });
    expect([[...read_.data], read_.min, read_.max]).toEqual([[100, 100, 200, 5, 5], 5, 200]);
  });

  it('read a first value below zero however it was written', () => {
    const first = (stated: number, negative: boolean): number => read(readLuts({ '00283010': v(table([2, stated, 12], [0, 4095])) }, false)?.voi, negative).first;
    expect([first(-5, true), first(65531, true), first(65531, false)]).toEqual([-5, -5, 65531]);
  });

  it('go through both, one after the other', () => {
    const luts = readLuts({ '00283000': v(table([2, 0, 16], [7, 8])), '00283010': v(table([2, 7, 8], [1, 255])) }, false);
    expect([...applyLuts(values(0, 1), { modality: read(luts?.modality), voi: read(luts?.voi) }).data]).toEqual([1, 255]);
    expect(lutWindow(read(luts?.voi))).toEqual({ center: 128, width: 256 });
  });

  it('come as words or bytes, and not at all when too short', () => {
    const of = (bits: number, bytes: number[], length = 2): Lut | null => {
      const luts = readLuts({ '00283000': v({ '00283002': v(length, 0, bits), '00283006': { vr: 'OW', InlineBinary: btoa(String.fromCharCode(...bytes)) } }) }, false);
      return luts?.modality ? readLut(luts.modality, null, false) : null;
    };
    expect([...(of(16, [1, 1, 2, 0])?.entries ?? [])]).toEqual([257, 2]);
    expect([...(of(8, [9, 8])?.entries ?? [])]).toEqual([9, 8]);
    expect([...(of(8, [9, 0, 8, 0])?.entries ?? [])]).toEqual([9, 8]);
    expect(of(16, [1, 1], 2)).toBeNull();
    expect(readLuts({ '00283000': v({}, 'x'), '00283010': v(table([2, 0], [1, 2])) }, false)).toBeNull();
  });

  it('leave a VOI table out where the file gives a window, and slope and intercept where there is a Modality LUT', () => {
    const set = { '00080018': v('a'), '00280010': v(1), '00280011': v(4), '00281050': v(40), '00281051': v(80), '00281052': v(-1024), '00283010': v(table([2, 0, 8], [1, 2])) };
    expect(readStack([set])[0]).toMatchObject({ luts: null, intercept: -1024 });
    expect(readStack([{ ...set, '00283000': v(table([2, 0, 8], [1, 2])) }])[0]).toMatchObject({ luts: { voi: null }, intercept: 0, slope: 1 });
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
