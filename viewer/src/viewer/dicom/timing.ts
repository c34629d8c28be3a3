// When each frame of a multi-frame object was taken and how long it is to be shown, its heart rate and R waves. Pure.
import { type Dataset, number, numbers, texts } from './json';

export interface ClipTiming {
  /** ms from the first frame to each: when it was taken, by the file. */
  readonly times: readonly number[];
  /** ms that each frame stands at normal speed. */
  readonly lasts: readonly number[];
  /** False where the file gives no rate: 10 frames a second are assumed, and `times` mean nothing. */
  readonly given: boolean;
  /** Frames were taken at uneven distances and are played so. */
  readonly uneven: boolean;
  /** The file asks to play to and fro instead of from the start again. */
  readonly sweep: boolean;
  readonly heartRate: number | null;
  /** R waves, ms from the first frame; only those within the clip. */
  readonly beats: readonly number[];
}

const ASSUMED = 100;      // ms a frame
const SHORTEST = 5;       // ms: 200 frames a second
const LONGEST = 10_000;   // ms
const [TIME, VECTOR] = ['00181063', '00181065'];

/** Timing of an object of that many frames. Nonsense (zero, negative, too few) counts as not given. */
export function readTiming(set: Dataset, frames: number): ClipTiming {
  const steps = takenEvery(set, frames);
  const shown = rate(number(set, '00082144'));
  const cine = rate(number(set, '00180040'));
  const even = steps !== null && isEven(steps);
  const mean = steps && steps.length > 0 ? steps.reduce((sum, step) => sum + step, 0) / steps.length : null;
  const step = shown ?? (mean !== null && mean >= SHORTEST ? mean : null) ?? cine;
  const times = sums(steps ?? Array.from({ length: Math.max(0, frames - 1) }, () => cine ?? shown ?? ASSUMED));
  const uneven = steps !== null && !even;
  // The last frame has no following one: it stands as long as frames do on average.
  const lasts = uneven ? [...steps, mean as number].map(within) : Array.from({ length: frames }, () => within(step ?? ASSUMED));
  const given = steps !== null || step !== null;
  const end = (times.at(-1) ?? 0) + (lasts.at(-1) ?? 0);
  return {
    times, lasts, given, uneven, sweep: number(set, '00181244') === 1,
    heartRate: heart(number(set, '00181088')),
    beats: given ? numbers(set, '00186060').filter((beat) => beat >= 0 && beat <= end).sort((a, b) => a - b) : [],
  };
}

/** The timing of single images that follow one another: `every` ms, if their files say so. */
export function assumedTiming(frames: number, perSecond: number | null): ClipTiming {
  const step = rate(perSecond ?? undefined);
  const lasts = Array.from({ length: frames }, () => step ?? ASSUMED);
  return { times: sums(lasts.slice(1)), lasts, given: step !== null, uneven: false, sweep: false, heartRate: null, beats: [] };
}

/** Frames a second at normal speed. */
export function rateOf(timing: ClipTiming): number {
  const whole = timing.lasts.reduce((sum, each) => sum + each, 0);
  return whole > 0 ? (1000 * timing.lasts.length) / whole : 0;
}

// ms between neighbours, as the element that the object itself points at gives them; null when there is no such thing.
function takenEvery(set: Dataset, frames: number): number[] | null {
  if (frames < 2) return null;
  const pointed = texts(set, '00280009').map((tag) => tag.replace(/[^0-9a-f]/gi, '').toUpperCase());
  const vector = vectorSteps(numbers(set, VECTOR), frames);
  const time = number(set, TIME);
  const steady = time !== undefined && time >= SHORTEST && time <= LONGEST ? Array.from({ length: frames - 1 }, () => time) : null;
  return pointed.includes(TIME) ? (steady ?? vector) : (vector ?? steady);
}

// The first entry is the first frame's own and zero; some writers leave it out.
function vectorSteps(vector: number[], frames: number): number[] | null {
  const steps = vector.length === frames ? vector.slice(1) : vector.length === frames - 1 ? vector : [];
  const whole = steps.reduce((sum, step) => sum + step, 0);
  return steps.length > 0 && steps.every((step) => step >= 0 && step <= LONGEST) && whole >= SHORTEST ? steps : null;
}

function isEven(steps: number[]): boolean {
  const mean = steps.reduce((sum, step) => sum + step, 0) / steps.length;
  return steps.every((step) => Math.abs(step - mean) <= Math.max(1, mean * 0.05));
}

function sums(steps: number[]): number[] {
  let at = 0;
  return [0, ...steps.map((step) => { at += step; return at; })];
}

function rate(perSecond: number | undefined): number | null {
  const step = perSecond && perSecond > 0 ? 1000 / perSecond : 0;
  return step >= SHORTEST && step <= LONGEST ? step : null;
}

function within(step: number): number {
  return Math.min(LONGEST, Math.max(SHORTEST, step));
}

function heart(perMinute: number | undefined): number | null {
  return perMinute !== undefined && perMinute >= 20 && perMinute <= 300 ? perMinute : null;
}
