// What one DICOM file says of its own picture, in the words of DICOM JSON, so that the same code reads both. Only for plain
// single images: of anything else null is returned, and the series' metadata is waited for.
import type { Dataset } from './json';
import { Cursor, type Element, SYNTAX, UNDEFINED, readMeta } from './part10';

const PIXELS = 0x7fe00010;
const PER_FRAME = 0x52009230;
const SHARED = 0x52009229;
const TABLES = [0x00283000, 0x00283010]; // they lie in sequences, which are not read here
const FRAMES = 0x00280008;

const TEXT = [0x00080016, 0x00080018, 0x00080060, 0x0020000d, 0x0020000e, 0x00200020, 0x00200052, 0x00280004, 0x00281055, 0x00281056, 0x00282110];
const NUMBER = [0x00082144, 0x00180040, 0x00180050, 0x00181063, 0x00181065, 0x00200013, 0x00200032, 0x00200037, FRAMES, 0x00280030, 0x00280034,
  0x00281050, 0x00281051, 0x00281052, 0x00281053];
const SHORT = [0x00280002, 0x00280006, 0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00280102, 0x00280103];
const KINDS = new Map<number, 'text' | 'number' | 'short'>([
  ...TEXT.map((tag) => [tag, 'text'] as const), ...NUMBER.map((tag) => [tag, 'number'] as const), ...SHORT.map((tag) => [tag, 'short'] as const),
]);

/** The elements that `readStack` reads. Null for several frames, a deflated file, and whatever cannot be read to its pixels. */
export function readHeader(bytes: Uint8Array<ArrayBuffer>): Dataset | null {
  try {
    const { syntax, at } = readMeta(bytes);
    if (syntax === SYNTAX.deflated) return null;
    return readElements(new Cursor(bytes, at, syntax !== SYNTAX.big, syntax !== SYNTAX.implicit));
  } catch {
    return null;
  }
}

function readElements(cursor: Cursor): Dataset | null {
  const set: Dataset = {};
  while (!cursor.ended) {
    const element = cursor.header();
    if (element.tag === PIXELS) return set;
    if (element.tag === SHARED || element.tag === PER_FRAME || TABLES.includes(element.tag)) return null;
    const kind = KINDS.get(element.tag);
    if (kind && element.length !== UNDEFINED) {
      const values = kind === 'short' ? shorts(cursor, element) : cursor.text(element).split('\\').map((value) => value.trim());
      if (element.tag === FRAMES && Number(values[0]) > 1) return null;
      if (element.length > 0) set[element.tag.toString(16).toUpperCase().padStart(8, '0')] = { Value: values };
    }
    cursor.skip(element);
  }
  return null;
}

function shorts(cursor: Cursor, element: Element): number[] {
  return Array.from({ length: element.length >> 1 }, (_, i) => cursor.u16(element.at + 2 * i));
}
