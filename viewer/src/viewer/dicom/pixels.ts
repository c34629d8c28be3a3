// Stored values of an uncompressed grey frame, with the modality's slope and intercept applied (HU for CT).
// Used for the first picture and for the fast way into Cornerstone; colour and compressed frames never come here.
import type { StackImage } from './images';

export interface Values {
  data: Uint8Array<ArrayBuffer> | Int16Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
  min: number;
  max: number;
}

/** True where `readValues` can be used: grey, 8 or 16 bits, single sample. */
export function isPlainGrey(image: StackImage): boolean {
  return image.samples === 1 && /^MONOCHROME[12]$/.test(image.photometric) && (image.bitsAllocated === 8 || image.bitsAllocated === 16)
    && image.bitsStored <= image.bitsAllocated && image.bitsStored > 0;
}

/** Values of a frame's bytes, little endian. Throws RangeError when it holds fewer than rows x columns need. */
export function readValues(image: StackImage, bytes: Uint8Array<ArrayBuffer>): Values {
  const count = image.rows * image.columns;
  const wide = image.bitsAllocated === 16;
  if (bytes.length < count * (wide ? 2 : 1)) throw new RangeError('fewer pixels than the header says');
  const aligned = wide && bytes.byteOffset % 2 ? bytes.slice() : bytes;
  return scaleValues(image, wide ? new Uint16Array(aligned.buffer, aligned.byteOffset, count) : aligned.subarray(0, count), image.highBit + 1 - image.bitsStored);
}

/**
 * Values from stored ones, however a decoder typed them: only the low `bitsStored` bits count, and the file's header says
 * whether they carry a sign (a code stream may say otherwise). Bits above may hold an old overlay plane. `below`: bits under
 * the value, where its High Bit is not the top one of those stored; decoders give none.
 */
export function scaleValues(image: StackImage, stored: Stored, below = 0): Values {
  const count = stored.length;
  const shift = 32 - image.bitsStored;
  const up = shift - below;
  const [low, high] = range(stored, up, shift, image.signed);
  const ends = [low * image.slope + image.intercept, high * image.slope + image.intercept];
  const min = Math.min(...ends);
  const max = Math.max(...ends);
  const out = room(count, min, max, Number.isInteger(image.slope) && Number.isInteger(image.intercept));
  const { slope, intercept } = image;
  if (image.signed) for (let i = 0; i < count; i++) out[i] = (((stored[i] as number) << up) >> shift) * slope + intercept;
  else for (let i = 0; i < count; i++) out[i] = (((stored[i] as number) << up) >>> shift) * slope + intercept;
  return { data: out, min, max };
}

type Stored = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array;

function range(stored: Stored, up: number, shift: number, signed: boolean): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < stored.length; i++) {
    const raw = (stored[i] as number) << up;
    const value = signed ? raw >> shift : raw >>> shift;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

function room(count: number, min: number, max: number, whole: boolean): Values['data'] {
  if (!whole) return new Float32Array(count);
  if (min >= 0 && max <= 255) return new Uint8Array(count);
  if (min >= -32768 && max <= 32767) return new Int16Array(count);
  if (min >= 0 && max <= 65535) return new Uint16Array(count);
  return new Float32Array(count);
}
