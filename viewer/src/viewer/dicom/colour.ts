// Uncompressed YBR_FULL_422 (PS3.3 C.7.6.3.1.2): two luminances share one chrominance. Pure.
import type { StackImage } from './images';

/** RGB bytes of such a frame. Throws RangeError when it holds fewer than it needs. */
export function rgbOf422(image: Pick<StackImage, 'rows' | 'columns'>, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const count = image.rows * image.columns;
  if (bytes.length < count * 2) throw new RangeError('fewer pixels than the header says');
  const out = new Uint8Array(count * 3);
  const clamped = new Uint8ClampedArray(out.buffer);
  for (let i = 0; i < count; i++) {
    const pair = (i >> 1) * 4;
    const y = bytes[pair + (i & 1)] as number;
    const [cb, cr] = [(bytes[pair + 2] as number) - 128, (bytes[pair + 3] as number) - 128];
    clamped[3 * i] = y + 1.402 * cr;
    clamped[3 * i + 1] = y - 0.344136 * cb - 0.714136 * cr;
    clamped[3 * i + 2] = y + 1.772 * cb;
  }
  return out;
}
