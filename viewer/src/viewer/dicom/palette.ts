// Palette colour: indexes to 8-bit RGB (PS3.3 C.7.6.3.1.5). Pure.
import type { StackImage, Triple } from './images';

export interface PaletteTable { descriptor: Triple; entries: Uint8Array }
export interface PaletteTables { red: PaletteTable; green: PaletteTable; blue: PaletteTable }

/** Reads one table as 8-bit entries. 16-bit entries keep their high byte; some writers put 8-bit values in 16-bit words. */
export function readTable(descriptor: Triple, bytes: Uint8Array): PaletteTable {
  const length = descriptor[0] || 65536; // 0 means 65,536
  const entries = new Uint8Array(length);
  if (bytes.length < length * 2) {
    entries.set(bytes.subarray(0, length));
    return { descriptor, entries };
  }
  let high = false;
  for (let i = 0; i < length; i++) if ((bytes[2 * i + 1] as number) !== 0) { high = true; break; }
  for (let i = 0; i < length; i++) entries[i] = bytes[2 * i + (high ? 1 : 0)] as number;
  return { descriptor, entries };
}

/** RGB bytes of a palette frame whose indexes are stored plainly in 8 or 16 bits. */
export function applyPalette(image: StackImage, bytes: Uint8Array<ArrayBuffer>, tables: PaletteTables): Uint8Array<ArrayBuffer> {
  const count = image.rows * image.columns;
  const wide = image.bitsAllocated === 16;
  if (bytes.length < count * (wide ? 2 : 1)) throw new RangeError('fewer pixels than the header says');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Uint8Array(count * 3);
  const channels = [tables.red, tables.green, tables.blue].map(({ descriptor, entries }) => ({ first: signedFirst(descriptor, image), entries }));
  for (let i = 0; i < count; i++) {
    const index = wide ? (image.signed ? view.getInt16(2 * i, true) : view.getUint16(2 * i, true)) : (bytes[i] as number);
    for (let c = 0; c < 3; c++) {
      const { first, entries } = channels[c] as { first: number; entries: Uint8Array };
      const at = Math.min(entries.length - 1, Math.max(0, index - first));
      out[3 * i + c] = entries[at] as number;
    }
  }
  return out;
}

function signedFirst(descriptor: Triple, image: StackImage): number {
  return image.signed && descriptor[1] > 32767 ? descriptor[1] - 65536 : descriptor[1];
}
