// Reads a whole DICOM file (PS3.10) into elements and items: for objects whose value is not pixels (curves, documents).
// Bounded: how deep, how many, and never past the end of the file. Values stay bytes until somebody asks for them.
import { Cursor, type Element, Part10Error, SYNTAX, UNDEFINED, inflate, readMeta } from './part10';

export interface RawElement { bytes: Uint8Array<ArrayBuffer>; items: RawSet[] }
export interface RawSet { little: boolean; elements: Map<number, RawElement> }

const DEPTH = 12;
const MOST = 50_000;
const ITEM = 0xfffee000;
const END_ITEM = 0xfffee00d;
const END_SEQUENCE = 0xfffee0dd;
// Where the file does not write its VRs (implicit little endian), these are known to hold items.
const SEQUENCES = new Set([0x54000100, 0x003a0200, 0x003a0208, 0x003a0211, 0x0040b020, 0x0040a043, 0x00081115]);

/** The data set of one file. Throws Part10Error when it is not DICOM, is cut short, or nests without end. */
export async function readFileSet(bytes: Uint8Array<ArrayBuffer>): Promise<RawSet> {
  const { syntax, at } = readMeta(bytes);
  const deflated = syntax === SYNTAX.deflated;
  const cursor = new Cursor(deflated ? await inflate(bytes.slice(at)) : bytes, deflated ? 0 : at, syntax !== SYNTAX.big, syntax !== SYNTAX.implicit);
  return readSet(cursor, cursor.bytes.length, { left: MOST }, 0);
}

function readSet(cursor: Cursor, end: number, budget: { left: number }, depth: number): RawSet {
  if (depth > DEPTH) throw new Part10Error('nested too deep');
  const set: RawSet = { little: cursor.little, elements: new Map() };
  while (cursor.at < end && !cursor.ended) {
    const element = cursor.header();
    if (element.tag === END_ITEM) break;
    if (--budget.left < 0) throw new Part10Error('too many elements');
    const nests = element.vr === 'SQ' || (!cursor.explicit && SEQUENCES.has(element.tag));
    if (nests) set.elements.set(element.tag, { bytes: new Uint8Array(0), items: readItems(cursor, element, budget, depth) });
    else {
      cursor.skip(element);
      const stop = element.length === UNDEFINED ? element.at : element.at + element.length;
      set.elements.set(element.tag, { bytes: cursor.bytes.subarray(element.at, stop), items: [] });
    }
  }
  return set;
}

function readItems(cursor: Cursor, sequence: Element, budget: { left: number }, depth: number): RawSet[] {
  const open = sequence.length === UNDEFINED;
  const end = open ? cursor.bytes.length : sequence.at + sequence.length;
  if (end > cursor.bytes.length) throw new Part10Error('a sequence is longer than the file');
  const items: RawSet[] = [];
  while (cursor.at < end) {
    const item = cursor.header();
    if (item.tag === END_SEQUENCE) break;
    if (item.tag !== ITEM) throw new Part10Error('a sequence holds something else than items');
    if (--budget.left < 0) throw new Part10Error('too many items');
    const stop = item.length === UNDEFINED ? cursor.bytes.length : item.at + item.length;
    if (stop > cursor.bytes.length) throw new Part10Error('an item is longer than the file');
    items.push(readSet(cursor, stop, budget, depth + 1));
    if (item.length !== UNDEFINED) cursor.at = stop;
  }
  if (!open) cursor.at = end;
  return items;
}

export function rawItems(set: RawSet | undefined, tag: number): RawSet[] {
  return set?.elements.get(tag)?.items ?? [];
}

export function rawBytes(set: RawSet, tag: number): Uint8Array<ArrayBuffer> | null {
  return set.elements.get(tag)?.bytes ?? null;
}

/** Text as stored, one byte a character: for codes and numbers, which need no more. */
export function rawText(set: RawSet | undefined, tag: number): string {
  const bytes = set?.elements.get(tag)?.bytes;
  return bytes ? new TextDecoder('latin1').decode(bytes).replace(/[\0 ]+$/, '').trim() : '';
}

/** A decimal or integer string; null when there is none that can be read. */
export function rawDecimal(set: RawSet | undefined, tag: number): number | null {
  const words = rawText(set, tag).split('\\')[0]?.trim() ?? '';
  const value = words === '' ? NaN : Number(words);
  return Number.isFinite(value) ? value : null;
}

/** A US or UL, told apart by its length: an implicit file does not write which. */
export function rawUnsigned(set: RawSet, tag: number): number | null {
  const bytes = set.elements.get(tag)?.bytes;
  if (!bytes || (bytes.length !== 2 && bytes.length !== 4)) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return bytes.length === 2 ? view.getUint16(0, set.little) : view.getUint32(0, set.little);
}
