// Cuts encapsulated pixel data (PS3.5 A.4) into frames: by offset table, by one fragment a frame, or by the start
// marks of the code streams. When none of these is certain it throws; guessing would show a wrong picture.

export interface Fragments {
  basic: number[];
  pieces: { offset: number; bytes: Uint8Array<ArrayBuffer> }[];
}

export class FragmentError extends Error {}

/** Bytes of each frame, in order. `table` is the Extended Offset Table when the file has one. */
export function cutEncapsulated(
  { basic, pieces }: Fragments,
  frames: number,
  table: { offsets?: number[]; lengths?: number[] } = {},
): Uint8Array<ArrayBuffer>[] {
  if (pieces.length === 0) throw new FragmentError('no fragments');
  if (frames === 1) return [concat(pieces.map((piece) => piece.bytes))];
  const offsets = table.offsets?.length === frames ? table.offsets : basic.length === frames ? basic : null;
  if (offsets) return byOffset(pieces, offsets, table.lengths);
  if (pieces.length === frames) return pieces.map((piece) => piece.bytes.slice());
  const starts = pieces.flatMap((piece, i) => (startsCodeStream(piece.bytes) ? [i] : []));
  if (starts.length === frames && starts[0] === 0) {
    return starts.map((from, i) => concat(pieces.slice(from, starts[i + 1]).map((piece) => piece.bytes)));
  }
  throw new FragmentError('the frames cannot be told apart');
}

function byOffset(pieces: Fragments['pieces'], offsets: number[], lengths?: number[]): Uint8Array<ArrayBuffer>[] {
  const index = new Map(pieces.map((piece, i) => [piece.offset, i]));
  const firsts = offsets.map((offset) => index.get(offset));
  return firsts.map((from, i) => {
    const until = i + 1 < firsts.length ? firsts[i + 1] : pieces.length;
    if (from === undefined || until === undefined || until <= from) throw new FragmentError('the offset table is wrong');
    const frame = concat(pieces.slice(from, until).map((piece) => piece.bytes));
    const length = lengths?.[i];
    return length !== undefined && length <= frame.length ? frame.slice(0, length) : frame;
  });
}

function startsCodeStream(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && (bytes[1] === 0xd8 || bytes[1] === 0x4f); // JPEG and JPEG-LS, JPEG 2000
}

function concat(pieces: Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const only = pieces[0];
  if (pieces.length === 1 && only) return only.slice();
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
