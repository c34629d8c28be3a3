// Lookup tables for grey values: Modality LUT (PS3.3 C.11.1) and VOI LUT (C.11.2). Pure.
import { type Dataset, inlineBytes, items, numbers } from './json';
import type { Values } from './pixels';

/** A table as the metadata describes it: its entries, or where to fetch them from. */
export interface LutSource { descriptor: [number, number, number]; values: number[] | null; inline: Uint8Array<ArrayBuffer> | null; uri: string | null }

/** Which tables the values of an image go through. `voi` only where the file gives no window. */
export interface LutSources { modality: LutSource | null; voi: LutSource | null }

export interface Lut { first: number; entries: Uint16Array | Uint8Array; bits: number }
export interface Luts { modality: Lut | null; voi: Lut | null }

/** Null where values need no table. A file with windows is windowed: its VOI LUT is another view of the same. */
export function readLuts(set: Dataset, windowed: boolean): LutSources | null {
  const modality = source(items(set, '00283000')[0]);
  const voi = windowed ? null : source(items(set, '00283010')[0]);
  return modality || voi ? { modality, voi } : null;
}

function source(item: Dataset | undefined): LutSource | null {
  const [length, first, bits] = item ? numbers(item, '00283002') : [];
  const element = item?.['00283006'];
  if (!item || !element || length === undefined || first === undefined || bits === undefined || length < 0 || bits < 8 || bits > 16) return null;
  const values = numbers(item, '00283006');
  return { descriptor: [length || 65536, first, bits], values: values.length > 0 ? values : null, inline: inlineBytes(element) ?? null, uri: element.BulkDataURI ?? null };
}

/** The table itself; null when it holds fewer entries than it says. `bytes`: what `uri` gave. `negative`: its input can be below zero. */
export function readLut(of: LutSource, bytes: Uint8Array | null, negative: boolean): Lut | null {
  const [length, stated, bits] = of.descriptor;
  const entries = of.values ? Uint16Array.from(of.values.slice(0, length)) : words(of.inline ?? bytes ?? new Uint8Array(0), length, bits);
  if (entries.length < length) return null;
  // The descriptor's second value has the sign of the pixels, and is often written without it.
  return { first: negative && stated > 32767 ? stated - 65536 : stated, entries, bits };
}

// 8-bit entries lie packed, or each in a word of its own.
function words(bytes: Uint8Array, length: number, bits: number): Uint16Array | Uint8Array {
  if (bits === 8 && bytes.length < length * 2) return bytes.slice(0, length);
  return Uint16Array.from({ length: Math.min(length, bytes.length >> 1) }, (_, i) => (bytes[2 * i] as number) | ((bytes[2 * i + 1] as number) << 8));
}

/** Values after their tables: what lies below or above a table takes its first or last entry. */
export function applyLuts({ data, min, max }: Values, { modality, voi }: Luts): Values {
  const tables = [modality, voi].filter((each) => each !== null);
  if (tables.length === 0) return { data, min, max };
  const out = new Uint16Array(data.length);
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < data.length; i++) {
    let value = data[i] as number;
    for (const { first, entries } of tables) value = entries[Math.max(0, Math.min(entries.length - 1, Math.trunc(value - first)))] as number;
    out[i] = value;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { data: out, min: low, max: high };
}

/** The window that shows what a VOI LUT gives: its whole range of output. */
export function lutWindow({ bits }: Lut): { center: number; width: number } {
  return { center: 2 ** (bits - 1), width: 2 ** bits };
}
