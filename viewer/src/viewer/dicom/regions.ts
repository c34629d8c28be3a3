// Sequence of Ultrasound Regions (PS3.3 C.8.5.5): which part of the picture is calibrated, and in which units. Pure.
// A length is told only where both ends lie in one region of space; in a spectrum or M-mode it is time and velocity or depth.
import { type Dataset, items, number } from './json';

export type Unit = 'mm' | 's' | 'mm/s' | 'other';

export interface Region {
  readonly x0: number; readonly y0: number; readonly x1: number; readonly y1: number; // pixels, both ends inside
  readonly kind: 'space' | 'motion' | 'spectrum' | 'other';
  readonly across: Axis;
  readonly down: Axis;
}

/** `delta`: in `unit` for each pixel to the right or downwards. `zero`: the pixel where the value is 0; null where not given. */
export interface Axis { readonly unit: Unit; readonly delta: number; readonly zero: number | null }

export interface Point { x: number; y: number } // pixels; the middle of the first one is 0, 0

/** What lies between two points; null: size unknown. Never negative. */
export type Between =
  | { kind: 'length'; mm: number }
  | { kind: 'motion'; ms: number; mm: number | null }
  | { kind: 'spectrum'; ms: number; cmPerSecond: number | null };

// Physical Units and Region Spatial Format as the standard numbers them.
const UNITS: Record<number, [Unit, number]> = { 3: ['mm', 10], 4: ['s', 1], 7: ['mm/s', 10] };
const [PLANE, MOTION, SPECTRUM] = [1, 2, 3];

/** The regions of an object; those without extent or with nonsense corners are left out. */
export function readRegions(set: Dataset): Region[] {
  return items(set, '00186011').flatMap((item) => {
    const [x0, y0, x1, y1] = ['00186018', '0018601A', '0018601C', '0018601E'].map((tag) => number(item, tag));
    if (x0 === undefined || y0 === undefined || x1 === undefined || y1 === undefined || x1 <= x0 || y1 <= y0) return [];
    const across = readAxis(item, ['00186024', '0018602C', '00186020', '00186028'], x0);
    const down = readAxis(item, ['00186026', '0018602E', '00186022', '0018602A'], y0);
    return [{ x0, y0, x1, y1, across, down, kind: kindOf(number(item, '00186012') ?? 0, across, down) }];
  });
}

/** The region that holds a point; where several do, the smallest: a spectrum lies in front of the picture around it. */
export function regionAt(regions: readonly Region[], { x, y }: Point): Region | null {
  const holding = regions.filter((each) => x >= each.x0 - 0.5 && x <= each.x1 + 0.5 && y >= each.y0 - 0.5 && y <= each.y1 + 0.5);
  return holding.reduce<Region | null>((best, each) => (!best || area(each) < area(best) ? each : best), null);
}

/** What may be said of the way between two points; null outside every region or across two of them. */
export function measureBetween(regions: readonly Region[], from: Point, to: Point): Between | null {
  const region = regionAt(regions, from);
  if (!region || regionAt(regions, to) !== region) return null;
  const [right, downwards] = [(to.x - from.x) * region.across.delta, (to.y - from.y) * region.down.delta];
  switch (region.kind) {
    case 'space': return { kind: 'length', mm: Math.hypot(right, downwards) };
    case 'motion': return { kind: 'motion', ms: Math.abs(right) * 1000, mm: region.down.unit === 'mm' ? Math.abs(downwards) : null };
    case 'spectrum': return { kind: 'spectrum', ms: Math.abs(right) * 1000, cmPerSecond: region.down.unit === 'mm/s' ? Math.abs(downwards) / 10 : null };
    default: return null;
  }
}

/** Velocity at a point of a spectrum, towards the probe positive, cm/s; null where the file gives no baseline. */
export function velocityAt(regions: readonly Region[], at: Point): number | null {
  const region = regionAt(regions, at);
  if (region?.kind !== 'spectrum' || region.down.unit !== 'mm/s' || region.down.zero === null) return null;
  return ((at.y - region.down.zero) * region.down.delta) / 10;
}

/** True where at least one part of the picture has a size in mm. */
export function hasLengths(regions: readonly Region[]): boolean {
  return regions.some((each) => each.kind === 'space');
}

function readAxis(item: Dataset, [units, deltas, reference, value]: [string, string, string, string], start: number): Axis {
  const [unit, scale] = UNITS[number(item, units) ?? 0] ?? ['other', 1];
  const delta = (number(item, deltas) ?? 0) * scale;
  if (delta === 0) return { unit: 'other', delta: 0, zero: null };
  const [pixel, at] = [number(item, reference), number(item, value) ?? 0];
  return { unit, delta, zero: pixel === undefined ? null : start + pixel - (at * scale) / delta };
}

// Units must fit the format: a picture whose pixels are seconds, or have no size, is not measured.
function kindOf(format: number, across: Axis, down: Axis): Region['kind'] {
  if (format === PLANE && across.unit === 'mm' && down.unit === 'mm') return 'space';
  if (format === MOTION && across.unit === 's') return 'motion';
  if (format === SPECTRUM && across.unit === 's') return 'spectrum';
  return 'other';
}

function area(region: Region): number {
  return (region.x1 - region.x0) * (region.y1 - region.y0);
}
