// What two points on the paper say: time, rate and height. Pure.
import type { Scale } from './layout';

export interface Point { x: number; y: number }

/** Milliseconds, beats a minute (null where the points are at one time) and millivolts from `a` to `b`, both in mm. */
export function between(a: Point, b: Point, { speed, gain }: Scale): { ms: number; bpm: number | null; mv: number } {
  const ms = (Math.abs(b.x - a.x) / speed) * 1000;
  return { ms, bpm: ms >= 1 ? 60_000 / ms : null, mv: (a.y - b.y) / gain };
}

export function said(a: Point, b: Point, scale: Scale): string {
  const { ms, bpm, mv } = between(a, b, scale);
  const height = (Math.round(mv * 100) / 100).toFixed(2).replace('-', '\u2212');
  return `${Math.round(ms).toLocaleString('en-GB')} ms${bpm !== null && bpm <= 400 ? ` \u00b7 ${Math.round(bpm)} bpm` : ''} \u00b7 ${height === '\u22120.00' ? '0.00' : height} mV`;
}
