import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { SYNTAX, readPart10 } from '../../src/viewer/dicom/part10';
import { Writer, ascii, short } from './files';

const SOP = '1.2.3.4';

function head(syntax: string): Writer {
  return new Writer().raw(new Uint8Array(128)).raw(ascii('DICM')).element(2, 3, 'UI', ascii(SOP)).element(2, 0x10, 'UI', ascii(syntax));
}

function dataset(writer: Writer, { rows = 2, columns = 2, frames = 1, bits = 16, sequence = false }): Writer {
  writer.element(8, 0x18, 'UI', ascii(SOP));
  if (sequence) {
    writer.element(8, 0x1140, 'SQ', 'undefined-sequence').tag(0xfffe, 0xe000).u32(0xffffffff)
      .element(8, 0x18, 'UI', ascii('9.9.9')).tag(0xfffe, 0xe00d).u32(0).tag(0xfffe, 0xe0dd).u32(0);
  }
  writer.element(0x28, 2, 'US', short(1, writer.little)).element(0x28, 8, 'IS', ascii(String(frames)));
  return writer.element(0x28, 0x10, 'US', short(rows, writer.little)).element(0x28, 0x11, 'US', short(columns, writer.little))
    .element(0x28, 0x100, 'US', short(bits, writer.little));
}

const file = (...writers: Writer[]): Uint8Array<ArrayBuffer> => Uint8Array.from(writers.flatMap((w) => w.bytes));
const pixels = Uint8Array.from({ length: 16 }, (_, i) => i);

describe('reading one DICOM file', () => {
  for (const [name, syntax, little, explicit] of [
    ['implicit', SYNTAX.implicit, true, false], ['explicit', SYNTAX.explicit, true, true], ['big endian', SYNTAX.big, false, true],
  ] as const) {
    it(`cuts native frames of ${name}, past a nested sequence`, async () => {
      const set = dataset(new Writer(little, explicit), { frames: 2, sequence: true }).element(0x7fe0, 0x10, 'OW', pixels);
      const read = await readPart10(file(head(syntax), set));
      expect(read).toMatchObject({ instance: SOP, transferSyntax: syntax });
      expect(read.frames.map((f) => [...f])).toEqual([[0, 1, 2, 3, 4, 5, 6, 7], [8, 9, 10, 11, 12, 13, 14, 15]]);
    });
  }

  it('inflates a deflated file', async () => {
    const set = dataset(new Writer(), {}).element(0x7fe0, 0x10, 'OW', pixels.subarray(0, 8));
    const read = await readPart10(Uint8Array.from([...head(SYNTAX.deflated).bytes, ...deflateRawSync(Uint8Array.from(set.bytes))]));
    expect([...(read.frames[0] ?? [])]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(read.transferSyntax).toBe(SYNTAX.explicit);
  });

  const encapsulated = (frames: number, table: number[], fragments: number[][]): Uint8Array<ArrayBuffer> => {
    const set = dataset(new Writer(), { frames, bits: 8 }).element(0x7fe0, 0x10, 'OB', 'undefined-sequence');
    set.tag(0xfffe, 0xe000).u32(table.length * 4);
    table.forEach((offset) => set.u32(offset));
    for (const fragment of fragments) set.tag(0xfffe, 0xe000).u32(fragment.length).raw(fragment);
    set.tag(0xfffe, 0xe0dd).u32(0);
    return file(head('1.2.840.10008.1.2.4.90'), set);
  };

  it('joins the fragments of a single frame', async () => {
    expect([...((await readPart10(encapsulated(1, [], [[1, 2], [3, 4]]))).frames[0] ?? [])]).toEqual([1, 2, 3, 4]);
  });

  it('cuts frames by the offset table', async () => {
    const read = await readPart10(encapsulated(2, [0, 20], [[1, 2], [3, 4], [5, 6]]));
    expect(read.frames.map((f) => [...f])).toEqual([[1, 2, 3, 4], [5, 6]]);
  });

  it('cuts frames by their start marks when there is no table', async () => {
    const read = await readPart10(encapsulated(2, [], [[0xff, 0xd8], [3, 4], [0xff, 0xd8]]));
    expect(read.frames.map((f) => f.length)).toEqual([4, 2]);
  });

  it('refuses to guess', async () => {
    await expect(readPart10(encapsulated(2, [], [[1, 2], [3, 4], [5, 6]]))).rejects.toThrow(/told apart/);
    await expect(readPart10(encapsulated(2, [0, 7], [[1, 2], [3, 4]]))).rejects.toThrow(/offset table/);
  });

  it('refuses what is cut short or not DICOM, at any length', async () => {
    const whole = file(head(SYNTAX.explicit), dataset(new Writer(), { sequence: true }).element(0x7fe0, 0x10, 'OW', pixels.subarray(0, 8)));
    for (let length = 0; length < whole.length; length += 1) await expect(readPart10(whole.slice(0, length))).rejects.toThrow();
    await expect(readPart10(whole)).resolves.toBeDefined();
  });

  it('refuses fewer pixels than the header says', async () => {
    const set = dataset(new Writer(), { rows: 9 }).element(0x7fe0, 0x10, 'OW', pixels);
    await expect(readPart10(file(head(SYNTAX.explicit), set))).rejects.toThrow(/shorter/);
  });
});
