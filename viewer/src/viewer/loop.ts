// Playing in one viewport: which clip is in view, its bar, its speed, and what is said about it. Knows no rendering.
import { autoplay } from './choices';
import { Cine, type Clock, type Pace, SCREEN, SPEEDS } from './cine';
import { type Clip, beginsByItself, clipAt } from './clips';
import type { StackImage } from './dicom/images';
import { Scrubber } from './ui/scrubber';

export interface LoopHost {
  images(): readonly StackImage[];
  index(): number;
  /** A person asks for an image. */
  go(index: number): void;
  /** The next image of what is playing; as `Reel.show`. */
  show(index: number): Promise<'shown' | 'waits' | 'broken'>;
  /** Playing began or ended. */
  playing(on: boolean): void;
}

const TELL = 500; // ms between two readings of the pace

export class LoopPlayer {
  readonly #cine: Cine;
  readonly #bar: Scrubber;
  #clip: Clip | null = null;
  #speed = 1;
  #told = -Infinity;

  /** `frame`: the viewport's own element; the bar lies over its lower edge. */
  constructor(private readonly frame: HTMLElement, private readonly host: LoopHost, private readonly clock: Clock = SCREEN) {
    this.#cine = new Cine((on) => { this.#bar.playing(on); this.#tellPace(); host.playing(on); }, clock);
    this.#bar = new Scrubber({
      toggle: () => this.toggle(),
      frame: (frame) => { this.stop(); if (this.#clip) host.go(this.#clip.from + frame); },
      speed: (times) => { this.#speed = this.#cine.speed = times; this.#tellPace(); },
      sweep: (on) => { this.#cine.sweep = on; },
      begins: (on) => { autoplay.on = on; },
      clip: (step) => this.#other(step),
    });
    frame.append(this.#bar.element);
  }

  get playing(): boolean {
    return this.#cine.playing;
  }

  /** To be called when an image came into view, by whatever way; a new clip brings its own bar. */
  look(): void {
    const images = this.host.images();
    const index = this.host.index();
    const clip = this.#clip;
    const same = clip !== null && index >= clip.from && index < clip.from + clip.count && images[index]?.timing === clip.timing;
    if (!same) this.#take(clipAt(images, index));
    if (this.#clip?.frames) this.#bar.at(index - this.#clip.from, whereIn(this.#clip, index));
    if (this.#cine.playing && this.clock.now() - this.#told > TELL) this.#tellPace();
  }

  /** To be called once the first image of a series is on the screen: loops of ultrasound begin then. */
  opened(): void {
    this.look();
    const modality = this.host.images()[this.host.index()]?.modality ?? '';
    if (beginsByItself(this.#clip, modality) && autoplay.on && !calm()) this.toggle();
  }

  toggle(): void {
    this.look();
    const clip = this.#clip;
    if (this.#cine.playing || !clip) { this.stop(); return; }
    this.#cine.start({ clip, at: () => this.host.index(), show: (index) => this.host.show(index) });
  }

  stop(): void {
    this.#cine.stop();
  }

  /** The series is closed. */
  clear(): void {
    this.stop();
    this.#take(null);
  }

  // The clip before or after, from its first frame; it plays if this one did.
  #other(step: 1 | -1): void {
    const [images, clip] = [this.host.images(), this.#clip];
    if (!clip) return;
    const beside = step > 0 ? clip.from + clip.count : clip.from - 1;
    if (beside < 0 || beside >= images.length) return;
    const was = this.playing;
    this.host.go(clipAt(images, beside)?.from ?? beside);
    if (was) this.toggle();
  }

  #take(clip: Clip | null): void {
    this.#clip = clip;
    if (this.#cine.playing) this.#cine.stop();
    const bar = clip?.frames ? clip : null; // a stack of slices has its own scroll bar and needs no other
    this.frame.classList.toggle('v-hasloop', bar !== null);
    this.#cine.speed = this.#speed;
    this.#cine.sweep = clip?.timing.sweep ?? false;
    this.#bar.setup(bar && {
      count: bar.count, speeds: SPEEDS, speed: this.#speed, sweep: this.#cine.sweep, heartRate: bar.timing.heartRate,
      beats: beatShares(bar), before: bar.from > 0, after: bar.from + bar.count < this.host.images().length, begins: beginsByItself(bar, this.host.images()[bar.from]?.modality ?? '') ? autoplay.on : null,
    });
    this.#tellPace();
  }

  #tellPace(): void {
    this.#told = this.clock.now();
    const clip = this.#clip;
    if (!clip) { this.#bar.pace('', false); return; }
    const pace = this.#cine.pace;
    this.#bar.pace(paceWords(clip, pace, this.#speed), pace !== null && isSlow(pace));
  }
}

/** "Frame 3 of 60, 67 ms"; no time where the file gives none. */
export function whereIn(clip: Clip, index: number): string {
  const at = index - clip.from;
  const time = clip.timing.given ? `, ${Math.round(clip.timing.times[at] ?? 0)} ms` : '';
  return `Frame ${at + 1} of ${clip.count}${time}`;
}

/** Where the R waves stand along the slider, whose steps are frames. */
export function beatShares(clip: Clip): number[] {
  const { times, beats } = clip.timing;
  return beats.map((beat) => {
    const after = times.findIndex((time) => time > beat);
    if (after < 0) return 1;
    const [from, to] = [times[after - 1] ?? 0, times[after] as number];
    return Math.min(1, (after - 1 + (beat - from) / Math.max(1e-6, to - from)) / (clip.count - 1));
  });
}

/** Below nine tenths of what was asked for, which the eye begins to see. */
export function isSlow(pace: Pace): boolean {
  return pace.actual !== null && pace.actual < 0.9 * pace.wanted;
}

/** What is said beside the slider: the rate, the one that is reached where it is lower, and the heart rate. */
export function paceWords(clip: Clip, pace: Pace | null, speed: number): string {
  const wanted = pace?.wanted ?? clip.count * 1000 * speed / clip.timing.lasts.reduce((sum, each) => sum + each, 0);
  const rate = clip.timing.uneven && !pace ? 'uneven times' : pace && isSlow(pace) ? `${whole(pace.actual as number)} of ${whole(wanted)} frames/s` : `${whole(wanted)} frames/s`;
  return [clip.timing.heartRate ? `${clip.timing.heartRate} bpm` : '', rate, clip.timing.given ? '' : 'rate not in the file'].filter(Boolean).join(' \u00b7 ');
}

function whole(rate: number): string {
  return String(rate < 10 ? Math.round(rate * 10) / 10 : Math.round(rate));
}

function calm(): boolean {
  return globalThis.matchMedia?.('(prefers-reduced-motion: reduce)').matches ?? false;
}
