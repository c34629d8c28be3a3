import { describe, expect, it } from 'vitest';
import { foldWord, keep } from '../../src/list/fold';

const chips = (...states: string[]): { width: number; state: string }[] => states.map((state) => ({ width: 100, state }));

describe('folding', () => {
  it('keeps all when five or fewer fit', () => expect(keep(chips('timeout', 'ok', 'ok', 'ok', 'ok'), 500, 80)).toBe(5));
  it('folds what does not fit, and leaves room for the fold itself', () => expect(keep(chips('timeout', 'ok', 'ok', 'ok', 'ok'), 499, 80)).toBe(4));
  it('folds all healthy ones beyond five sources, even with room', () => expect(keep(chips('timeout', 'asking', 'ok', 'ok', 'ok', 'empty'), 9000, 80)).toBe(2));
  it('keeps none when not even one fits', () => expect(keep(chips('timeout', 'ok'), 120, 80)).toBe(0));

  it('never calls a failing rest answered', () => {
    expect(foldWord(['ok', 'empty'])).toMatchObject({ word: '2 answered', tone: 'ok' });
    for (const state of ['failed', 'refused', 'timeout', 'too-large', 'not-approved']) expect(foldWord(['ok', state, 'asking'])).toMatchObject({ word: '3 more', tone: 'bad' });
    for (const state of ['partial', 'no-identifier']) expect(foldWord(['ok', state])).toMatchObject({ word: '2 more', tone: 'warn' });
    expect(foldWord(['asking', 'ok'])).toMatchObject({ word: '2 more', mark: 'load' });
  });
});
