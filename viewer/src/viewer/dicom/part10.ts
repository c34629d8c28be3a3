// Finds the pixel data of one DICOM file (PS3.10) and cuts it into frames. Reads only what that needs;
// what the image means comes from the series metadata, not from here. Every length is checked against the buffer.
import { cutEncapsulated, type Fragments } from './fragments';

export interface FilePixels {
  instance: string;
  transferSyntax: string;
  frames: Uint8Array<ArrayBuffer>[];
}

export class Part10Error extends Error {}

export const SYNTAX = {
  implicit: '1.2.840.10008.1.2',
  explicit: '1.2.840.10008.1.2.1',
  deflated: '1.2.840.10008.1.2.1.99',
  big: '1.2.840.10008.1.2.2',
} as const;

const NATIVE = new Set<string>(Object.values(SYNTAX));
const LONG_VR = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);
export const UNDEFINED = 0xffffffff;
const TAG = { instance: 0x00080018, frames: 0x00280008, samples: 0x00280002, rows: 0x00280010, columns: 0x00280011,
  bits: 0x00280100, pixels: 0x7fe00010, floats: 0x7fe00008, doubles: 0x7fe00009, item: 0xfffee000, endItem: 0xfffee00d, endSequence: 0xfffee0dd,
  offsets: 0x7fe00001, lengths: 0x7fe00002, syntax: 0x00020010, mediaInstance: 0x00020003 };

export interface Element { tag: number; vr: string; length: number; at: number }

/** Walks the elements of one dataset. */
export class Cursor {
  readonly view: DataView;
  constructor(readonly bytes: Uint8Array<ArrayBuffer>, public at: number, readonly little: boolean, readonly explicit: boolean) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get ended(): boolean {
    return this.at + 8 > this.bytes.length;
  }

  u16(at: number): number {
    return this.view.getUint16(at, this.little);
  }

  u32(at: number): number {
    return this.view.getUint32(at, this.little);
  }

  /** Reads one element header and leaves the cursor at its value. */
  header(): Element {
    if (this.ended) throw new Part10Error('cut short');
    const tag = this.u16(this.at) * 0x10000 + this.u16(this.at + 2);
    if (!this.explicit || (tag >>> 16) === 0xfffe) {
      const length = this.u32(this.at + 4);
      this.at += 8;
      return { tag, vr: '', length, at: this.at };
    }
    const vr = String.fromCharCode(this.bytes[this.at + 4] ?? 0, this.bytes[this.at + 5] ?? 0);
    if (!LONG_VR.has(vr)) {
      const length = this.u16(this.at + 6);
      this.at += 8;
      return { tag, vr, length, at: this.at };
    }
    if (this.at + 12 > this.bytes.length) throw new Part10Error('cut short');
    const length = this.u32(this.at + 8);
    this.at += 12;
    return { tag, vr, length, at: this.at };
  }

  skip(element: Element): void {
    if (element.length === UNDEFINED) {
      this.#skipSequence(element.vr === 'UN');
      return;
    }
    this.at = element.at + element.length;
    if (this.at > this.bytes.length) throw new Part10Error('an element is longer than the file');
  }

  // A UN of undefined length holds implicit little endian (PS3.5 6.2.2), whatever the file itself is.
  #skipSequence(unknown: boolean): void {
    const inner = unknown ? new Cursor(this.bytes, this.at, true, false) : this;
    for (;;) {
      const item = inner.header();
      if (item.tag === TAG.endSequence) break;
      if (item.tag !== TAG.item) throw new Part10Error('a sequence holds something else than items');
      if (item.length !== UNDEFINED) {
        inner.skip(item);
        continue;
      }
      for (let element = inner.header(); element.tag !== TAG.endItem; element = inner.header()) inner.skip(element);
    }
    this.at = inner.at;
  }

  text(element: Element): string {
    const raw = this.bytes.subarray(element.at, element.at + element.length);
    return new TextDecoder('latin1').decode(raw).replace(/[\0 ]+$/, '').trim();
  }
}

/** Frames of one file. Throws Part10Error when it is not DICOM, is cut short or holds no pixels that can be cut. */
export async function readPart10(bytes: Uint8Array<ArrayBuffer>): Promise<FilePixels> {
  const { syntax, instance, at } = readMeta(bytes);
  if (syntax !== SYNTAX.deflated) return readDataset(bytes, at, syntax, instance);
  const inflated = await inflate(bytes.slice(at));
  return readDataset(inflated, 0, SYNTAX.explicit, instance);
}

/** The file meta group: how the dataset is written, which instance it says to be, and where it begins. */
export function readMeta(bytes: Uint8Array<ArrayBuffer>): { syntax: string; instance: string; at: number } {
  if (String.fromCharCode(...bytes.subarray(128, 132)) !== 'DICM') throw new Part10Error('not a DICOM file');
  const cursor = new Cursor(bytes, 132, true, true);
  let syntax = '';
  let instance = '';
  while (!cursor.ended && cursor.u16(cursor.at) === 2) {
    const element = cursor.header();
    if (element.tag === TAG.syntax) syntax = cursor.text(element);
    if (element.tag === TAG.mediaInstance) instance = cursor.text(element);
    cursor.skip(element);
  }
  if (!syntax) throw new Part10Error('no transfer syntax');
  return { syntax, instance, at: cursor.at };
}

function readDataset(bytes: Uint8Array<ArrayBuffer>, at: number, syntax: string, fromMeta: string): FilePixels {
  const cursor = new Cursor(bytes, at, syntax !== SYNTAX.big, syntax !== SYNTAX.implicit);
  const numbers = new Map<number, number>();
  let instance = fromMeta;
  let frames = 1;
  const table: { offsets?: number[]; lengths?: number[] } = {};
  while (!cursor.ended) {
    const element = cursor.header();
    switch (element.tag) {
      case TAG.instance: instance = cursor.text(element); break;
      case TAG.frames: frames = Math.max(1, Number.parseInt(cursor.text(element), 10) || 1); break;
      case TAG.samples: case TAG.rows: case TAG.columns: case TAG.bits:
        numbers.set(element.tag, cursor.u16(element.at)); break;
      case TAG.offsets: table.offsets = longs(cursor, element); break;
      case TAG.lengths: table.lengths = longs(cursor, element); break;
      case TAG.pixels:
        return { instance, transferSyntax: syntax, frames: element.length === UNDEFINED
          ? cutEncapsulated(readFragments(cursor), frames, table)
          : cutNative(cursor, element, frames, numbers, syntax) };
      case TAG.floats: case TAG.doubles: throw new Part10Error('floating point pixels');
    }
    cursor.skip(element);
  }
  throw new Part10Error('no pixel data');
}

function cutNative(cursor: Cursor, element: Element, frames: number, numbers: Map<number, number>, syntax: string): Uint8Array<ArrayBuffer>[] {
  if (!NATIVE.has(syntax)) throw new Part10Error('compressed pixels without fragments');
  const value = (tag: number): number => numbers.get(tag) ?? 1;
  const whole = (value(TAG.rows) * value(TAG.columns) * value(TAG.samples) * value(TAG.bits)) / 8;
  if (element.at + element.length > cursor.bytes.length) throw new Part10Error('the pixel data is cut short');
  // YBR_FULL_422 stores two bytes a pixel, so fewer than rows x columns x samples are right for it.
  const size = whole * frames <= element.length ? whole : Math.floor(element.length / frames);
  if (!Number.isInteger(size) || size === 0 || size < whole / 2) throw new Part10Error('the pixel data is shorter than its header says');
  return Array.from({ length: frames }, (_, i) => cursor.bytes.subarray(element.at + i * size, element.at + (i + 1) * size));
}

function readFragments(cursor: Cursor): Fragments {
  const table = cursor.header();
  if (table.tag !== TAG.item) throw new Part10Error('no offset table');
  const basic: number[] = [];
  for (let at = table.at; at + 4 <= table.at + table.length; at += 4) basic.push(cursor.u32(at));
  cursor.skip(table);
  const pieces: { offset: number; bytes: Uint8Array<ArrayBuffer> }[] = [];
  const start = cursor.at;
  for (;;) {
    const offset = cursor.at - start;
    const item = cursor.header();
    if (item.tag === TAG.endSequence) return { basic, pieces };
    if (item.tag !== TAG.item) throw new Part10Error('a fragment is missing');
    cursor.skip(item);
    pieces.push({ offset, bytes: cursor.bytes.subarray(item.at, item.at + item.length) });
  }
}

function longs(cursor: Cursor, element: Element): number[] {
  const out: number[] = [];
  for (let at = element.at; at + 8 <= element.at + element.length && at + 8 <= cursor.bytes.length; at += 8) {
    out.push(Number(cursor.view.getBigUint64(at, cursor.little)));
  }
  return out;
}

export async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  try {
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    throw new Part10Error('the deflated data cannot be read');
  }
}
