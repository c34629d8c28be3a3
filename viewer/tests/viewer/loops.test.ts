import { describe, expect, it } from 'vitest';
import { beginsByItself, clipAt, following } from '../../src/viewer/clips';
import { readStack } from '../../src/viewer/dicom/images';
import type { Dataset } from '../../src/viewer/dicom/json';
import { rateOf, readTiming } from '../../src/viewer/dicom/timing';
import { beatShares, isSlow, paceWords, whereIn } from '../../src/viewer/loop';
import { Cine, type Clock, type Reel } from '../../src/viewer/cine';

const v = (...Value: unknown[]): { Value: unknown[] } => ({ Value });
function echo(uid: string, frames: number, more: Dataset = {}): Dataset {
  return { '00080018': v(uid), '00280010': v(4), '00280011': v(4), '00080060': v('US'), '00280008': v(String(frames)), ...more };
}

describe('the timing that a file gives', () => {
  it('takes Frame Time, Cine Rate or the recommended rate, whichever is there', () => {
    expect(rateOf(readTiming({ '00181063': v('40') }, 5))).toBe(25);
    expect(rateOf(readTiming({ '00180040': v('15') }, 5))).toBeCloseTo(15);
    expect(rateOf(readTiming({ '00082144': v(12) }, 5))).toBeCloseTo(12);
    expect(readTiming({ '00181063': v('40') }, 4).times).toEqual([0, 40, 80, 120]);
  });

  it('shows at the recommended rate and still tells when frames were taken', () => {
    const timing = readTiming({ '00181063': v('10'), '00082144': v(20) }, 3);
    expect(timing.lasts).toEqual([50, 50, 50]);
    expect(timing.times).toEqual([0, 10, 20]);
  });

  it('plays uneven frames at their own times, the last as long as frames last on average', () => {
    const timing = readTiming({ '00181065': v(0, 20, 80, 20), '00280009': v('00181065'), '00082144': v(30) }, 4);
    expect(timing).toMatchObject({ uneven: true, given: true, times: [0, 20, 100, 120], lasts: [20, 80, 20, 40] });
    expect(readTiming({ '00181065': v(20, 80, 20) }, 4).times).toEqual([0, 20, 100, 120]); // without the first zero
    expect(readTiming({ '00181065': v(0, 33, 33.4, 33) }, 4).uneven).toBe(false);
  });

  it('believes the element that the frames are said to follow', () => {
    const both = { '00181063': v('50'), '00181065': v(0, 10, 90) };
    expect(readTiming({ ...both, '00280009': v('00181063') }, 3).lasts).toEqual([50, 50, 50]);
    expect(readTiming({ ...both, '00280009': v('(0018,1065)') }, 3).uneven).toBe(true);
  });

  it('assumes ten a second where the file gives nothing or nonsense, and says so', () => {
    for (const set of [{}, { '00181063': v(0) }, { '00181063': v(-33) }, { '00180040': v('0') }, { '00181065': v(0, -5, 5) }, { '00181065': v(0, 1) }, { '00082144': v('many') }]) {
      expect(readTiming(set, 3)).toMatchObject({ given: false, lasts: [100, 100, 100] });
    }
  });

  it('reads the heart: rate and R waves within the clip, none where times are not given', () => {
    const heart = { '00181088': v('72'), '00186060': v(300, 50, 9999, -3) };
    expect(readTiming({ ...heart, '00181063': v(100) }, 5)).toMatchObject({ heartRate: 72, beats: [50, 300] });
    expect(readTiming(heart, 5).beats).toEqual([]);
    expect(readTiming({ '00181088': v('0') }, 5).heartRate).toBeNull();
  });
});

describe('clips', () => {
  const stack = readStack([
    echo('a', 3, { '00200013': v(1), '00181063': v(40) }), echo('b', 1, { '00200013': v(2) }), echo('c', 1, { '00200013': v(3), '00180040': v(5) }), echo('d', 2, { '00200013': v(4) }),
  ]);

  it('are the frames of one object, or the single images between', () => {
    expect([0, 2, 3, 4, 5, 6].map((i) => [clipAt(stack, i)?.from, clipAt(stack, i)?.count])).toEqual([[0, 3], [0, 3], [3, 2], [3, 2], [5, 2], [5, 2]]);
    expect(clipAt(stack, 9)).toBeNull();
    expect(clipAt(readStack([echo('x', 1)]), 0)).toBeNull();
  });

  it('begin by themselves only where they are ultrasound at a known speed', () => {
    expect([0, 3, 5].map((i) => beginsByItself(clipAt(stack, i), 'US'))).toEqual([true, false, false]);
    expect(beginsByItself(clipAt(stack, 0), 'XA')).toBe(false);
  });

  it('go round, or to and fro', () => {
    const clip = clipAt(stack, 0);
    if (!clip) throw new Error('no clip');
    const walk = (sweep: boolean): number[] => {
      let at = { index: 0, direction: 1 as 1 | -1 };
      return Array.from({ length: 6 }, () => { at = following(clip, at.index, at.direction, sweep); return at.index; });
    };
    expect(walk(false)).toEqual([1, 2, 0, 1, 2, 0]);
    expect(walk(true)).toEqual([1, 2, 1, 0, 1, 2]);
    expect(following(clip, 6, 1, false).index).toBe(0); // came from another clip
  });

  it('say where they are and where the heart beats along them', () => {
    const clip = clipAt(readStack([echo('a', 5, { '00181063': v(100), '00186060': v(50, 400) })]), 0);
    if (!clip) throw new Error('no clip');
    expect(whereIn(clip, 2)).toBe('Frame 3 of 5, 200 ms');
    expect(beatShares(clip)).toEqual([0.125, 1]);
    const untimed = clipAt(readStack([echo('a', 2)]), 0);
    expect(untimed && whereIn(untimed, 1)).toBe('Frame 2 of 2');
  });
});

/** Time goes only as the test says; every picture takes `cost` ms to come on the screen. */
class FakeClock implements Clock {
  time = 0;
  waiting: { at: number; run: () => void }[] = [];
  constructor(readonly cost = 0) {}
  now(): number { return this.time; }
  after(ms: number, run: () => void): () => void {
    const entry = { at: this.time + Math.max(0, ms), run };
    this.waiting.push(entry);
    return () => { this.waiting = this.waiting.filter((each) => each !== entry); };
  }
  painted(): Promise<void> { this.time += this.cost; return Promise.resolve(); }
  async until(end: number): Promise<void> {
    for (;;) {
      const next = this.waiting.filter((each) => each.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.waiting = this.waiting.filter((each) => each !== next);
      this.time = Math.max(this.time, next.at);
      next.run();
      for (let i = 0; i < 40; i++) await Promise.resolve();
    }
    this.time = Math.max(this.time, end);
  }
}

function reelOf(clock: Clock, set: Dataset, frames: number, states: Record<number, 'waits' | 'broken'> = {}): Reel & { seen: [number, number][] } {
  const clip = clipAt(readStack([echo('a', frames, set)]), 0);
  if (!clip) throw new Error('no clip');
  let index = 0;
  const seen: [number, number][] = [];
  return {
    clip, seen, at: () => index,
    show: (wanted) => {
      const state = states[wanted] ?? 'shown';
      if (state === 'shown') { index = wanted; seen.push([wanted, clock.now()]); }
      return Promise.resolve(state);
    },
  };
}

describe('playing', () => {
  it('shows each frame at its own time, round and round', async () => {
    const clock = new FakeClock();
    const reel = reelOf(clock, { '00181065': v(0, 20, 80, 20) }, 4);
    const cine = new Cine(() => undefined, clock);
    cine.start(reel);
    await clock.until(260);
    expect(reel.seen).toEqual([[1, 20], [2, 100], [3, 120], [0, 160], [1, 180], [2, 260]]);
  });

  it('is not slowed by what a picture costs, as long as it costs less than a frame lasts', async () => {
    const clock = new FakeClock(15);
    const reel = reelOf(clock, { '00181063': v(20) }, 10);
    const cine = new Cine(() => undefined, clock);
    cine.start(reel);
    await clock.until(3000);
    expect(cine.pace?.wanted).toBe(50);
    expect(cine.pace?.actual).toBeCloseTo(50, 0);
  });

  it('says what it reaches when it cannot keep up, and drops nothing', async () => {
    const clock = new FakeClock(50);
    const reel = reelOf(clock, { '00181063': v(20) }, 10);
    const cine = new Cine(() => undefined, clock);
    cine.start(reel);
    await clock.until(3000);
    const pace = cine.pace;
    expect(pace?.actual).toBeCloseTo(20, 0);
    expect(pace && isSlow(pace)).toBe(true);
    expect(paceWords(reel.clip, pace, 1)).toBe('20 of 50 frames/s');
    expect(reel.seen.map(([index]) => index).slice(0, 12)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2]);
  });

  it('plays at a quarter and at twice the speed, and changes while it plays', async () => {
    const clock = new FakeClock();
    const reel = reelOf(clock, { '00181063': v(40) }, 4);
    const cine = new Cine(() => undefined, clock);
    cine.speed = 0.25;
    cine.start(reel);
    await clock.until(320);
    expect(reel.seen.map(([, at]) => at)).toEqual([160, 320]);
    cine.speed = 2;
    await clock.until(520);
    expect(reel.seen.map(([, at]) => at).slice(2, 4)).toEqual([480, 500]);
    cine.speed = 99;
    expect(cine.speed).toBe(2);
  });

  it('waits for a frame that is not here and passes over one that will never be', async () => {
    const clock = new FakeClock();
    const states: Record<number, 'waits' | 'broken'> = { 1: 'broken', 2: 'waits' };
    const reel = reelOf(clock, { '00181063': v(40) }, 4, states);
    const cine = new Cine(() => undefined, clock);
    cine.start(reel);
    await clock.until(1000);
    expect(reel.seen).toEqual([]);
    delete states[2];
    await clock.until(1100);
    expect(reel.seen.map(([index]) => index).slice(0, 2)).toEqual([2, 3]);
  });

  it('stops where no other frame can be shown, and when it is told', async () => {
    const clock = new FakeClock();
    const told: boolean[] = [];
    const cine = new Cine((on) => told.push(on), clock);
    cine.start(reelOf(clock, { '00181063': v(40) }, 3, { 0: 'broken', 1: 'broken', 2: 'broken' }));
    await clock.until(100);
    expect(told).toEqual([true, false]);
    const reel = reelOf(clock, { '00181063': v(40) }, 3);
    cine.start(reel);
    await clock.until(200);
    const before = reel.seen.length;
    expect(before).toBeGreaterThan(0);
    cine.stop();
    await clock.until(1000);
    expect(reel.seen.length).toBe(before);
    expect(cine.pace).toBeNull();
  });

  it('never plays two reels at once', async () => {
    const clock = new FakeClock();
    const [first, second] = [reelOf(clock, { '00181063': v(40) }, 3), reelOf(clock, { '00181063': v(40) }, 3)];
    const cine = new Cine(() => undefined, clock);
    cine.start(first);
    await clock.until(50);
    cine.start(second);
    await clock.until(500);
    expect(first.seen).toHaveLength(1);
    expect(second.seen.length).toBeGreaterThan(5);
  });
});
