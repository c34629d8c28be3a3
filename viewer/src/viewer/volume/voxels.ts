// The values of a volume in one array, filled slice by slice as the images come. Knows which slices are in, so that
// nothing is drawn or measured where a slice is still missing. Owns the memory limit.
import type { StackImage, Triple } from '../dicom/images';
import { type Lattice, subsampling, thinned } from './geometry';
import { cross, dot, minus, plus, times } from './vectors';

export const LIMIT = 512 * 1024 * 1024;

/** What the resampler reads. `have[k]` is 1 where slice k is in. */
export interface Grid {
  readonly lattice: Lattice;
  readonly data: Int16Array | Float32Array;
  readonly have: Uint8Array;
  readonly complete: boolean;
}

/** Why the volume cannot be kept; `message` is for the person. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

export class Voxels implements Grid {
  readonly lattice: Lattice;
  readonly every: number;
  readonly have: Uint8Array;
  data: Int16Array | Float32Array;
  #in = 0;

  /** Throws TooLarge. Whole numbers are kept in two bytes until one does not fit. */
  constructor(readonly whole: Lattice, images: StackImage[], private readonly limit = LIMIT) {
    const fractions = images.some(({ slope, intercept }) => !Number.isInteger(slope) || !Number.isInteger(intercept));
    const plan = subsampling(whole, fractions ? 4 : 2, limit);
    if (!plan) throw new TooLarge(`this volume needs more than ${Math.round(limit / 1024 / 1024)} MB of memory.`);
    this.every = plan.every;
    this.lattice = thinned(whole, plan.every);
    const [columns, rows, slices] = this.lattice.size;
    this.data = fractions ? new Float32Array(columns * rows * slices) : new Int16Array(columns * rows * slices);
    this.have = new Uint8Array(slices);
  }

  get complete(): boolean {
    return this.#in === this.have.length;
  }

  get filled(): number {
    return this.#in;
  }

  /** Puts one slice in: `values` of the whole image, scaled. Throws RangeError when they are fewer than its pixels, TooLarge. */
  put(k: number, values: ArrayLike<number>): void {
    const [columns, rows] = this.whole.size;
    if (values.length !== columns * rows) throw new RangeError('not the pixels of this slice');
    if (this.data instanceof Int16Array && !fits(values)) this.#widen();
    const [width, height] = this.lattice.size;
    const { data, every } = this;
    let at = k * width * height;
    if (every === 1) data.set(values, at);
    else for (let j = 0; j < height; j++) for (let i = 0; i < width; i++) data[at++] = values[j * every * columns + i * every] as number;
    if (this.have[k] === 0) this.#in += 1;
    this.have[k] = 1;
  }

  #widen(): void {
    if (this.data.length * 4 > this.limit) throw new TooLarge(`its values need more than ${Math.round(this.limit / 1024 / 1024)} MB of memory.`);
    this.data = Float32Array.from(this.data);
  }

  /** The value of the voxel nearest to a place in the body; undefined outside, null where the slice is not in. */
  at(place: Triple): number | null | undefined {
    const index = toIndex(this.lattice)(place).map(Math.round) as Triple;
    const [columns, rows, slices] = this.lattice.size;
    const [i, j, k] = index;
    if (i < 0 || j < 0 || k < 0 || i >= columns || j >= rows || k >= slices) return undefined;
    return this.have[k] ? (this.data[(k * rows + j) * columns + i] as number) : null;
  }
}

function fits(values: ArrayLike<number>): boolean {
  if (values instanceof Int16Array || values instanceof Uint8Array) return true;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value > 32767 || value < -32768 || value !== Math.trunc(value)) return false;
  }
  return true;
}

/** Rows of the matrix that turns millimetres from the origin into voxel numbers; exact for slanted lattices too. */
export function inverse({ steps: [a, b, c] }: Lattice): [Triple, Triple, Triple] {
  const size = dot(a, cross(b, c));
  return [times(cross(b, c), 1 / size), times(cross(c, a), 1 / size), times(cross(a, b), 1 / size)];
}

/** From a place in the body to voxel numbers, not rounded. */
export function toIndex(lattice: Lattice): (place: Triple) => Triple {
  const rows = inverse(lattice);
  return (place) => {
    const away = minus(place, lattice.origin);
    return rows.map((row) => dot(row, away)) as Triple;
  };
}

export function toPlace({ origin, steps: [a, b, c] }: Lattice, [i, j, k]: Triple): Triple {
  return plus(plus(plus(origin, a, i), b, j), c, k);
}
