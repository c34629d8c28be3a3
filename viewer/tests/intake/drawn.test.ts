import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Drawn, ahead, ask, moved } from '../../src/intake/drawn';

const studies = [3, 0, 2].map((images, at) => ({ item: `i${at}`, title: '', whose: '', images }));
afterEach(() => vi.unstubAllGlobals());

describe('going through all images', () => {
  it.each([
    [{ study: 0, at: 0 }, 1, { study: 0, at: 1 }],
    [{ study: 0, at: 2 }, 1, { study: 2, at: 0 }],
    [{ study: 2, at: 0 }, -1, { study: 0, at: 2 }],
    [{ study: 2, at: 1 }, 10, { study: 2, at: 1 }],
    [{ study: 2, at: 1 }, -1e6, { study: 0, at: 0 }],
  ])('%o and %i', (from, by, to) => expect(moved(studies, from, by)).toEqual(to));
  it('asks ahead in the direction of travel, and not again for what is known', () => {
    expect(ahead(2, 5, false, () => false)).toEqual([2, 3, 4]);
    expect(ahead(2, 5, true, () => false)).toEqual([2, 1, 0]);
    expect(ahead(0, 100, false, (at) => at === 3)).toEqual([0, 1, 2]);
    expect(ahead(0, 100, false, () => false, 8)).toHaveLength(8);
  });
});

function answers(text: string[], status = 200): void {
  const body = new ReadableStream({ start: (to) => { for (const part of text) to.enqueue(new TextEncoder().encode(part)); to.close(); } });
  vi.stubGlobal('fetch', async () => new Response(body, { status }));
}

describe('pictures as they come', () => {
  it('are told line by line, wherever the bytes were cut', async () => {
    const seen: Drawn[] = [];
    answers(['{"at":4,"words":"Im', 'age 5 of 9","picture":"x"}\n{"at":7,"words":"","picture":', 'null}\n']);
    await ask('/p?', [4, 7], (one) => seen.push(one));
    expect(seen.map((one) => [one.at, one.picture])).toEqual([[4, 'x'], [7, null]]);
  });
  it('that break off are not taken for all', async () => {
    answers(['{"at":4,"words":"","picture":"x"}\n']);
    await expect(ask('/p?', [4, 7], () => undefined)).rejects.toThrow('broken off');
  });
  it('that are refused are none', async () => {
    answers([], 403);
    await expect(ask('/p?', [4], () => undefined)).rejects.toThrow('403');
  });
});
