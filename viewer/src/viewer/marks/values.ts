// What is said of a mark: sizes where the image's size is known, numbers of its pixels where they mean something. Pure.
import type { StackImage } from '../dicom/images';
import { measureBetween } from '../dicom/regions';
import type { Quantity } from '../dicom/quantity';
import type { Place } from './plane';
import type { Kind, Value } from './types';

export type Pixels = ArrayLike<number>;
export interface Statistics { count: number; mean: number; sd: number; min: number; max: number }
type Sized = Pick<StackImage, 'rows' | 'columns' | 'spacing' | 'regions' | 'samples'> & { quantity: Quantity };

/** Of the pixels whose middle lies in the shape, its edge included; null where there is none. `sd` is of these pixels, not of a sample. */
export function statistics(kind: 'ellipse' | 'rectangle', points: readonly Place[], pixels: Pixels, rows: number, columns: number): Statistics | null {
  const inside = kind === 'ellipse' ? inEllipse(points) : inRectangle(points);
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const reach = kind === 'ellipse' ? half(points[0] as Place, points[1] as Place) : 0;
  const [cx, cy] = middle(points);
  const [left, right] = reach ? [cx - reach, cx + reach] : [Math.min(...xs), Math.max(...xs)];
  const [top, bottom] = reach ? [cy - reach, cy + reach] : [Math.min(...ys), Math.max(...ys)];
  let [count, mean, squares, min, max] = [0, 0, 0, Infinity, -Infinity];
  for (let row = Math.max(0, Math.floor(top)); row <= Math.min(rows - 1, Math.ceil(bottom)); row++) {
    for (let column = Math.max(0, Math.floor(left)); column <= Math.min(columns - 1, Math.ceil(right)); column++) {
      if (!inside(column + 0.5, row + 0.5)) continue;
      const value = pixels[row * columns + column] as number;
      count += 1;
      const step = value - mean; // Welford: no loss where values are large and alike
      mean += step / count;
      squares += step * (value - mean);
      if (value < min) min = value;
      if (value > max) max = value;
    }
  }
  return count ? { count, mean, sd: Math.sqrt(squares / count), min, max } : null;
}

/** The values of a mark; pixels only where each is one number (grey). Empty for an arrow, and where nothing may be said. */
export function valuesOf(kind: Kind, points: readonly Place[], image: Sized, pixels: Pixels | null): Value[] {
  const grey = image.samples === 1 ? pixels : null;
  switch (kind) {
    case 'length': return said('length', distance(image, points[0], points[1]));
    case 'bidirectional': return [...said('long', distance(image, points[0], points[1])), ...said('short', distance(image, points[2], points[3]))];
    case 'angle': return angle(image, points);
    case 'probe': return grey ? probe(image, points[0] as Place, grey) : [];
    case 'ellipse': case 'rectangle': return [...area(kind, image, points), ...(grey ? told(image, statistics(kind, points, grey, image.rows, image.columns)) : [])];
    default: return [];
  }
}

/** mm between two places; null where the size of a pixel there is not known. Ultrasound: only within one calibrated region. */
export function distance(image: Pick<Sized, 'spacing' | 'regions'>, a?: Place, b?: Place): number | null {
  if (!a || !b) return null;
  if (image.spacing) return Math.hypot((b[0] - a[0]) * image.spacing[1], (b[1] - a[1]) * image.spacing[0]);
  const found = measureBetween(image.regions, { x: a[0] - 0.5, y: a[1] - 0.5 }, { x: b[0] - 0.5, y: b[1] - 0.5 });
  return found?.kind === 'length' ? found.mm : null;
}

function area(kind: 'ellipse' | 'rectangle', image: Sized, points: readonly Place[]): Value[] {
  const [a, b] = kind === 'ellipse' ? [distance(image, points[0], points[1]), distance(image, points[2], points[3])] : [distance(image, points[0], points[1]), distance(image, points[1], points[2])];
  return a === null || b === null ? [] : [{ what: 'area', value: kind === 'ellipse' ? (Math.PI * a * b) / 4 : a * b, unit: 'mm2' }];
}

function angle(image: Sized, [a, corner, b]: readonly Place[]): Value[] {
  if (!a || !corner || !b || distance(image, a, corner) === null || distance(image, corner, b) === null) return [];
  const [down, right] = image.spacing ?? [1, 1]; // within one ultrasound region pixels are taken as square only where they are
  const [u, v] = [a, b].map((end) => [(end[0] - corner[0]) * right, (end[1] - corner[1]) * down]) as [Place, Place];
  const size = Math.hypot(...u) * Math.hypot(...v);
  return size > 0 ? [{ what: 'angle', value: (Math.acos(Math.min(1, Math.max(-1, (u[0] * v[0] + u[1] * v[1]) / size))) * 180) / Math.PI, unit: 'deg' }] : [];
}

function probe(image: Sized, [x, y]: Place, pixels: Pixels): Value[] {
  const [column, row] = [Math.floor(x), Math.floor(y)];
  if (column < 0 || row < 0 || column >= image.columns || row >= image.rows) return [];
  const [factor, unit] = scale(image.quantity);
  return [{ what: 'value', value: (pixels[row * image.columns + column] as number) * factor, unit }];
}

function told(image: Sized, found: Statistics | null): Value[] {
  const [factor, unit] = scale(image.quantity);
  return found ? (['mean', 'sd', 'min', 'max'] as const).map((what) => ({ what, value: found[what] * factor, unit })) : [];
}

function scale({ suv, unit }: Quantity): [number, string] {
  return suv === null ? [1, unit] : [suv, '{SUVbw}g/ml'];
}

function said(what: string, mm: number | null): Value[] {
  return mm === null ? [] : [{ what, value: mm, unit: 'mm' }];
}

const SHOWN: Record<string, string> = { mm: 'mm', deg: '\u00b0', mm2: 'mm\u00b2', "[hnsf'U]": 'HU', '1': '', 'Bq/ml': 'Bq/ml', '{SUVbw}g/ml': 'SUV' };
const NAMED: Record<string, string> = { area: 'Area', mean: 'Mean', sd: 'SD', min: 'Min', max: 'Max', long: 'Long', short: 'Short' };

/** The lines beside a mark. */
export function linesOf(values: readonly Value[], remark = ''): string[] {
  const lines = values.map(({ what, value, unit }) => {
    const digits = unit === 'mm' || unit === 'deg' ? 1 : unit === '{SUVbw}g/ml' ? 2 : Math.abs(value) >= 100 || what === 'min' || what === 'max' || what === 'value' ? 0 : 1;
    const number = value.toFixed(digits).replace('-', '\u2212');
    return [NAMED[what], unit === 'deg' ? `${number} \u00b0` : `${number} ${SHOWN[unit] ?? unit}`.trim()].filter(Boolean).join(' ');
  });
  return remark && values.some(({ unit }) => unit === 'Bq/ml') ? [...lines, remark] : lines;
}

function middle(points: readonly Place[]): Place {
  return [points.reduce((sum, [x]) => sum + x, 0) / points.length, points.reduce((sum, [, y]) => sum + y, 0) / points.length];
}

function half(a: Place, b: Place): number {
  return Math.hypot(b[0] - a[0], b[1] - a[1]) / 2;
}

function inEllipse(points: readonly Place[]): (x: number, y: number) => boolean {
  const [a, b, c, d] = points as [Place, Place, Place, Place];
  const [cx, cy] = middle([a, b]);
  const [long, short] = [half(a, b), half(c, d)];
  const [ux, uy] = long > 0 ? [(b[0] - a[0]) / (2 * long), (b[1] - a[1]) / (2 * long)] : [1, 0];
  return (x, y) => {
    const [dx, dy] = [x - cx, y - cy];
    return ((dx * ux + dy * uy) / long) ** 2 + ((-dx * uy + dy * ux) / short) ** 2 <= 1 + 1e-9;
  };
}

function inRectangle(points: readonly Place[]): (x: number, y: number) => boolean {
  const [o, a, , b] = points as [Place, Place, Place, Place];
  const [u, v]: [Place, Place] = [[a[0] - o[0], a[1] - o[1]], [b[0] - o[0], b[1] - o[1]]];
  const [uu, vv] = [u[0] ** 2 + u[1] ** 2, v[0] ** 2 + v[1] ** 2];
  return (x, y) => {
    const [dx, dy] = [x - o[0], y - o[1]];
    const [s, t] = [(dx * u[0] + dy * u[1]) / uu, (dx * v[0] + dy * v[1]) / vv];
    return s >= -1e-9 && s <= 1 + 1e-9 && t >= -1e-9 && t <= 1 + 1e-9;
  };
}
