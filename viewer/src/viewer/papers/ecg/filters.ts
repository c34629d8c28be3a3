// The filters a reader may switch on: second-order sections run forward and backward, so that nothing moves in time.
// Pure. Gaps (NaN) stay gaps; each piece between them is filtered by itself.

export type FilterName = 'baseline' | 'low40' | 'low150' | 'notch50' | 'notch60';

export const FILTERS: Record<FilterName, { label: string; on: string }> = {
  baseline: { label: 'Baseline 0.5 Hz', on: 'high-pass 0.5 Hz' },
  low40: { label: 'Low-pass 40 Hz', on: 'low-pass 40 Hz' },
  low150: { label: 'Low-pass 150 Hz', on: 'low-pass 150 Hz' },
  notch50: { label: 'Notch 50 Hz', on: 'notch 50 Hz' },
  notch60: { label: 'Notch 60 Hz', on: 'notch 60 Hz' },
};

/** b0, b1, b2, a1, a2 with a0 = 1. */
type Section = [number, number, number, number, number];

/** The section for a rate; null where the rate is too low for the filter to mean anything. */
export function section(name: FilterName, rate: number): Section | null {
  const hertz = { baseline: 0.5, low40: 40, low150: 150, notch50: 50, notch60: 60 }[name];
  if (hertz >= rate / 2.2) return null;
  const w = (2 * Math.PI * hertz) / rate;
  const [sin, cos] = [Math.sin(w), Math.cos(w)];
  const alpha = sin / (2 * (name.startsWith('notch') ? 30 : Math.SQRT1_2));
  const a0 = 1 + alpha;
  const b = name === 'baseline' ? [(1 + cos) / 2, -(1 + cos), (1 + cos) / 2] : name.startsWith('notch') ? [1, -2 * cos, 1] : [(1 - cos) / 2, 1 - cos, (1 - cos) / 2];
  return [(b[0] as number) / a0, (b[1] as number) / a0, (b[2] as number) / a0, (-2 * cos) / a0, (1 - alpha) / a0];
}

/** The values with these filters; the same array where none is on. */
export function filtered(values: Float64Array, rate: number, names: Iterable<FilterName>): Float64Array {
  let out = values;
  for (const name of names) {
    const with_ = section(name, rate);
    if (with_) out = pieces(out, (piece) => bothWays(piece, with_, Math.round(rate * (name === 'baseline' ? 3 : 1))));
  }
  return out;
}

function pieces(values: Float64Array, change: (piece: Float64Array) => Float64Array): Float64Array {
  const out = new Float64Array(values.length).fill(NaN);
  for (let start = 0; start < values.length;) {
    if (Number.isNaN(values[start])) { start += 1; continue; }
    let end = start;
    while (end < values.length && !Number.isNaN(values[end])) end += 1;
    out.set(change(values.subarray(start, end)), start);
    start = end;
  }
  return out;
}

// The ends are prolonged by turning them about their last point: without that the filter would begin with a jump.
function bothWays(piece: Float64Array, with_: Section, reach: number): Float64Array {
  const pad = Math.min(reach, piece.length - 1);
  const [first, last] = [piece[0] as number, piece[piece.length - 1] as number];
  const long = new Float64Array(piece.length + 2 * pad);
  long.set(piece, pad);
  for (let i = 1; i <= pad; i += 1) {
    long[pad - i] = 2 * first - (piece[i] as number);
    long[pad + piece.length - 1 + i] = 2 * last - (piece[piece.length - 1 - i] as number);
  }
  return run(run(long, with_).reverse(), with_).reverse().slice(pad, pad + piece.length);
}

function run(values: Float64Array, [b0, b1, b2, a1, a2]: Section): Float64Array {
  const out = new Float64Array(values.length);
  const begin = values[0] ?? 0;
  const gain = (b0 + b1 + b2) / (1 + a1 + a2); // as if the first value had stood for ever
  let [z1, z2] = [(gain - b0) * begin, (b2 - a2 * gain) * begin];
  for (let i = 0; i < values.length; i += 1) {
    const x = values[i] as number;
    const y = b0 * x + z1;
    z1 = b1 * x - a1 * y + z2;
    z2 = b2 * x - a2 * y;
    out[i] = y;
  }
  return out;
}
