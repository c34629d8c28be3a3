// Plays a clip at the file's own times. Never skips to an image that is not there yet: it waits for it. When the machine
// cannot keep up it plays slower and says so; it does not drop frames to look fast.
import { type Clip, following } from './clips';
import { rateOf } from './dicom/timing';

/** What is played. */
export interface Reel {
  readonly clip: Clip;
  at(): number;
  /** `shown`: it is on the screen. `waits`: not here yet, ask again. `broken`: it will not come. */
  show(index: number): Promise<'shown' | 'waits' | 'broken'>;
}

export interface Clock {
  now(): number;
  /** Calls `run` after `ms`; returns how to take that back. */
  after(ms: number, run: () => void): () => void;
  /** Resolves when what was drawn is on the screen. */
  painted(): Promise<void>;
}

export const SCREEN: Clock = {
  now: () => performance.now(),
  after: (ms, run) => { const timer = window.setTimeout(run, ms); return () => window.clearTimeout(timer); },
  painted: () => new Promise((resolve) => { requestAnimationFrame(() => resolve()); }),
};

export const SPEEDS = [0.25, 0.5, 0.75, 1, 1.5, 2] as const;

/** Frames a second: asked for, and seen on the screen; null as long as too few were shown to tell. */
export interface Pace { wanted: number; actual: number | null }

const SPAN = 2000;  // ms over which frames are counted
const RETRY = 40;   // ms until an image that was not here is asked for again

export class Cine {
  #take: object | null = null;
  #cancel: () => void = () => undefined;
  #reel: Reel | null = null;
  #shown: number[] = [];
  #direction: 1 | -1 = 1;
  #speed = 1;
  sweep = false;

  constructor(private readonly onChange: (playing: boolean) => void, private readonly clock: Clock = SCREEN) {}

  get playing(): boolean {
    return this.#take !== null;
  }

  get speed(): number {
    return this.#speed;
  }

  set speed(times: number) {
    this.#speed = Math.min(2, Math.max(0.25, times));
    this.#shown = [];
  }

  get pace(): Pace | null {
    if (!this.#reel) return null;
    const [first, last] = [this.#shown[0], this.#shown.at(-1)];
    const measured = first !== undefined && last !== undefined && last - first >= 500 && this.#shown.length > 2;
    return { wanted: rateOf(this.#reel.clip.timing) * this.#speed, actual: measured ? ((this.#shown.length - 1) * 1000) / (last - first) : null };
  }

  start(reel: Reel): void {
    this.stop();
    const take = {};
    this.#take = take;
    this.#reel = reel;
    this.#shown = [];
    this.#direction = 1;
    const due = this.clock.now() + this.#stands(reel, reel.at());
    this.#cancel = this.clock.after(due - this.clock.now(), () => void this.#step(reel, take, due));
    this.onChange(true);
  }

  stop(): void {
    if (!this.#take) return;
    this.#take = null;
    this.#reel = null;
    this.#cancel();
    this.onChange(false);
  }

  async #step(reel: Reel, take: object, due: number): Promise<void> {
    const outcome = await this.#next(reel, take);
    if (this.#take !== take) return;
    const now = this.clock.now();
    if (outcome === 'broken') { this.stop(); return; }
    if (outcome === 'shown') this.#count(now);
    // Late frames are not made up for: a burst would show a heart that beats unevenly.
    const stands = outcome === 'shown' ? this.#stands(reel, reel.at()) : RETRY;
    const next = outcome === 'shown' ? Math.max(due + stands, now) : now + stands;
    this.#cancel = this.clock.after(next - now, () => void this.#step(reel, take, next));
  }

  async #next(reel: Reel, take: object): Promise<'shown' | 'waits' | 'broken'> {
    let [index, direction] = [reel.at(), this.#direction];
    for (let tried = 0; tried < 2 * reel.clip.count; tried++) {
      ({ index, direction } = following(reel.clip, index, direction, this.sweep));
      const outcome = await reel.show(index);
      if (outcome === 'broken') continue;
      if (outcome === 'shown') {
        this.#direction = direction;
        await this.clock.painted();
      }
      return this.#take === take ? outcome : 'waits';
    }
    return 'broken';
  }

  #stands(reel: Reel, index: number): number {
    return (reel.clip.timing.lasts[index - reel.clip.from] ?? 100) / this.#speed;
  }

  #count(now: number): void {
    this.#shown.push(now);
    while ((this.#shown[0] as number) < now - SPAN) this.#shown.shift();
  }
}
