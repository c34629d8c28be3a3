// What a file is, by its first bytes, and what a DICOM file says of person and study. Read on the sender's device, for showing only: whoever
// receives the file reads it again and believes nothing of this.
import { Cursor, SYNTAX, UNDEFINED, readMeta } from '../viewer/dicom/part10';
import { type Item, print } from './item';

export type Kind = 'dicom' | 'dicomdir' | 'zip' | 'pdf' | 'photo' | 'other';

export interface Header {
  patient: string;
  born: string;
  patientId: string;
  study: string;
  series: string;
  date: string;
  description: string;
  modality: string;
  thickness: number | null;
}

const FIRST = 65_536;
const MORE = 2_000_000;
const LAST_TAG = 0x0020000e;
const TAG = { charset: 0x00080005, date: 0x00080020, modality: 0x00080060, description: 0x00081030, patient: 0x00100010, id: 0x00100020, born: 0x00100030,
  thickness: 0x00180050, study: 0x0020000d, series: 0x0020000e };
const WANTED = new Set<number>(Object.values(TAG));
const MEDIA_DIRECTORY = '1.2.840.10008.1.3.10';
const CHARSETS: Record<string, string> = { 'ISO_IR 192': 'utf-8', 'GB18030': 'gb18030', 'GBK': 'gbk', 'ISO_IR 101': 'iso-8859-2', 'ISO_IR 109': 'iso-8859-3',
  'ISO_IR 110': 'iso-8859-4', 'ISO_IR 144': 'iso-8859-5', 'ISO_IR 127': 'iso-8859-6', 'ISO_IR 126': 'iso-8859-7', 'ISO_IR 138': 'iso-8859-8',
  'ISO_IR 148': 'windows-1254', 'ISO_IR 13': 'shift_jis', 'ISO_IR 166': 'windows-874' };

export async function look(item: Item): Promise<{ kind: Kind; header: Header | null }> {
  const start = new Uint8Array(await item.slice(0, Math.min(FIRST, item.size)));
  item.mark = `${item.mark.slice(0, 16)}.${await print(start)}`;
  const kind = kindOf(start);
  if (kind !== 'dicom') return { kind, header: null };
  const header = readPerson(start) ?? (item.size > FIRST ? readPerson(new Uint8Array(await item.slice(0, Math.min(MORE, item.size)))) : null);
  return { kind, header };
}

export function kindOf(bytes: Uint8Array): Kind {
  const text = (from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to));
  if (text(128, 132) === 'DICM') return text(132, 400).includes(MEDIA_DIRECTORY) ? 'dicomdir' : 'dicom';
  if (text(0, 4) === 'PK\x03\x04') return 'zip';
  if (text(0, 5) === '%PDF-') return 'pdf';
  if (text(0, 3) === '\xff\xd8\xff' || text(0, 4) === '\x89PNG' || text(0, 6) === 'GIF89a' || (text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP')) return 'photo';
  if (text(4, 8) === 'ftyp' && /^(?:hei[cxms]|hev[cx]|mif1|msf1|avif)/.test(text(8, 12))) return 'photo';
  if (text(0, 4) === 'II*\0' || text(0, 4) === 'MM\0*') return 'photo';
  return 'other';
}

/** Null when it cannot be read to its series within these bytes. */
export function readPerson(bytes: Uint8Array<ArrayBuffer>): Header | null {
  const found = new Map<number, Uint8Array>();
  try {
    const { syntax, at } = readMeta(bytes);
    if (syntax === SYNTAX.deflated) return null;
    const cursor = new Cursor(bytes, at, syntax !== SYNTAX.big, syntax !== SYNTAX.implicit);
    while (!cursor.ended) {
      const element = cursor.header();
      if (element.tag > LAST_TAG) break;
      if (WANTED.has(element.tag) && element.length !== UNDEFINED) found.set(element.tag, bytes.subarray(element.at, element.at + element.length));
      cursor.skip(element);
    }
  } catch {
    return null;
  }
  const latin = (tag: number): string => clean(new TextDecoder('latin1').decode(found.get(tag)));
  const charset = CHARSETS[latin(TAG.charset).split('\\').filter(Boolean).at(-1)?.replace(/^ISO 2022 IR /, 'ISO_IR ') ?? ''] ?? 'latin1';
  const text = (tag: number): string => clean(new TextDecoder(charset).decode(found.get(tag)));
  const study = latin(TAG.study);
  if (!study) return null;
  const thickness = Number.parseFloat(latin(TAG.thickness));
  return { patient: text(TAG.patient), born: latin(TAG.born), patientId: text(TAG.id), study, series: latin(TAG.series), date: latin(TAG.date),
    description: text(TAG.description), modality: latin(TAG.modality), thickness: Number.isFinite(thickness) ? thickness : null };
}

function clean(text: string): string {
  return text.replace(/[\0 ]+$/, '').trim();
}
