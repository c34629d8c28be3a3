// The files inside a zip, so that what is in it can be shown, and another person's study left out. Only plain zips: stored or deflated, not
// locked, not enormous. Of anything else null is returned, and the zip is sent whole: whoever receives it looks inside.
import type { Item } from './item';

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCKED = 1;
const DEFLATED = 8;
const MOST_FILES = 50_000;
const MOST_BYTES = 400_000_000; // of one member: it is inflated in memory
const UTF8 = 0x800;

export async function members(zip: Item): Promise<Item[] | null> {
  try {
    const tail = new DataView(await zip.slice(Math.max(0, zip.size - 65_557), zip.size));
    let at = tail.byteLength - 22;
    while (at >= 0 && tail.getUint32(at, true) !== END) at -= 1;
    if (at < 0) return null;
    const [files, bytes, from] = [tail.getUint16(at + 10, true), tail.getUint32(at + 12, true), tail.getUint32(at + 16, true)];
    if (files > MOST_FILES || files === 0xffff || from === 0xffffffff || from + bytes > zip.size) return null;
    return directory(zip, new DataView(await zip.slice(from, from + bytes)), files);
  } catch {
    return null;
  }
}

function directory(zip: Item, view: DataView, files: number): Item[] | null {
  const found: Item[] = [];
  let at = 0;
  for (let i = 0; i < files; i += 1) {
    if (view.getUint32(at, true) !== ENTRY) return null;
    const [flags, method, packed, size] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true), view.getUint32(at + 20, true), view.getUint32(at + 24, true)];
    const [nameLength, extra, comment, offset] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true), view.getUint16(at + 32, true), view.getUint32(at + 42, true)];
    if (flags & LOCKED || (method !== 0 && method !== DEFLATED) || size > MOST_BYTES || offset === 0xffffffff) return null;
    const raw = new Uint8Array(view.buffer, view.byteOffset + at + 46, nameLength);
    const name = new TextDecoder(flags & UTF8 ? 'utf-8' : 'latin1').decode(raw);
    if (!name.endsWith('/')) found.push(member(zip, name, { method, packed, size, offset }));
    at += 46 + nameLength + extra + comment;
  }
  return found;
}

function member(zip: Item, name: string, where: { method: number; packed: number; size: number; offset: number }): Item {
  let kept: WeakRef<ArrayBuffer> | undefined;
  const whole = async (): Promise<ArrayBuffer> => {
    const had = kept?.deref();
    if (had) return had;
    const head = new DataView(await zip.slice(where.offset, where.offset + 30));
    const start = where.offset + 30 + head.getUint16(26, true) + head.getUint16(28, true);
    const packed = await zip.slice(start, start + where.packed);
    const bytes = where.method === 0 ? packed : await inflate(packed, where.size);
    if (bytes.byteLength !== where.size) throw new Error('the zip is damaged');
    kept = new WeakRef(bytes);
    return bytes;
  };
  return { name: `${zip.name}/${name}`, size: where.size, mark: zip.mark, slice: async (start, end) => (await whole()).slice(start, end) };
}

// A member that says 1 kB and holds a gigabyte is stopped at what it says.
async function inflate(packed: ArrayBuffer, size: number): Promise<ArrayBuffer> {
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  const out = new Uint8Array(size);
  let at = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return at === size ? out.buffer : out.buffer.slice(0, at);
    if (at + value.length > size) {
      await reader.cancel();
      throw new Error('the zip is damaged');
    }
    out.set(value, at);
    at += value.length;
  }
}
