import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { members } from '../../src/portal/zip';

interface Entry { name: string; data: string; method?: number; flags?: number; says?: number }

function zip(entries: Entry[]): { name: string; size: number; mark: string; slice(from: number, to: number): Promise<ArrayBuffer> } {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data, method = 8, flags = 0, says } of entries) {
    const packed = method === 8 ? deflateRawSync(Buffer.from(data)) : Buffer.from(data);
    const head = Buffer.alloc(30);
    head.writeUInt32LE(0x04034b50, 0);
    head.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(flags, 8);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt32LE(says ?? data.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offset, 42);
    files.push(head, Buffer.from(name), packed);
    directory.push(entry, Buffer.from(name));
    offset += 30 + name.length + packed.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(offset, 16);
  const all = Uint8Array.from(Buffer.concat([...files, listed, end]));
  return { name: 'disc.zip', size: all.length, mark: '', slice: async (from, to) => all.slice(from, to).buffer };
}

describe('a zip', () => {
  it('gives its files, and their bytes from anywhere', async () => {
    const found = (await members(zip([{ name: 'A/1', data: 'hello world' }, { name: 'A/', data: '', method: 0 }, { name: 'B', data: 'stored', method: 0 }]))) ?? [];
    expect(found.map((one) => [one.name, one.size])).toEqual([['disc.zip/A/1', 11], ['disc.zip/B', 6]]);
    expect(new TextDecoder().decode(await found[0]?.slice(6, 11))).toBe('world');
    expect(new TextDecoder().decode(await found[1]?.slice(0, 6))).toBe('stored');
  });
  it.each([
    ['locked', [{ name: 'a', data: 'x', flags: 1 }]], ['packed in another way', [{ name: 'a', data: 'x', method: 12 }]], ['enormous', [{ name: 'a', data: 'x', says: 500_000_000 }]],
  ])('that is %s is sent whole', async (_, entries) => expect(await members(zip(entries))).toBeNull());
  it('that is none, or is cut, is sent whole', async () => {
    const text = { name: 'x.zip', size: 4, mark: '', slice: async () => new TextEncoder().encode('PK\x03\x04').buffer as ArrayBuffer };
    expect(await members(text)).toBeNull();
  });
  it('whose member holds more than it says is stopped at what it says', async () => {
    const found = (await members(zip([{ name: 'bomb', data: 'x'.repeat(1_000_000), says: 10 }]))) ?? [];
    await expect(found[0]?.slice(0, 10)).rejects.toThrow('the zip is damaged');
  });
});
