import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Watch, type WatchOptions } from '../../src/list/watch';

const whose = { launch: 'L1', patient: 'P1' };
const quiet = { ...whose, at: '10:42', missed: [], known: 'k1' };
const page = { hidden: false, on: new Map<string, () => void>() };
let hears: { [K in 'heard' | 'unchecked' | 'ended']: ReturnType<typeof vi.fn> } & { busy: () => boolean };
let isBusy = false;

beforeEach(() => {
  vi.useFakeTimers();
  isBusy = false;
  page.hidden = false;
  page.on.clear();
  hears = { heard: vi.fn(), unchecked: vi.fn(), ended: vi.fn(), busy: () => isBusy };
  vi.stubGlobal('document', { get hidden() { return page.hidden; }, addEventListener: (kind: string, run: () => void) => page.on.set(kind, run), removeEventListener: (kind: string) => page.on.delete(kind) });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const says = (data: unknown, status = 200): (() => Promise<Response>) => () => Promise.resolve(new Response(JSON.stringify(data), { status }));
function watching(fetcher: () => Promise<Response>, seconds = 30): { watch: Watch; asked: ReturnType<typeof vi.fn> } {
  const asked = vi.fn(fetcher);
  const watch = new Watch({ url: '/w', seconds, whose, ...hears } as unknown as WatchOptions, asked as never);
  watch.start();
  return { watch, asked };
}

describe('watching', () => {
  it('asks at its pace and says what it was told last', async () => {
    const { asked, watch } = watching(says(quiet));
    await vi.advanceTimersByTimeAsync(29_000);
    expect(asked).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(31_000);
    expect(asked.mock.calls.map((call) => call[0])).toEqual(['/w?known=', '/w?known=k1']);
    expect(hears.heard).toHaveBeenCalledWith(null);
    expect(hears.unchecked).toHaveBeenLastCalledWith(null);
    expect(watch.checked).toBe('10:42');
  });

  it('hands on what is new', async () => {
    const rows = [{ uid: '1', sort: '2', html: '<li>' }];
    watching(says({ ...quiet, rows, strip: { tone: 'all' }, arrived: { '1': 'Found 10:42' } }));
    await vi.advanceTimersByTimeAsync(30_000);
    expect(hears.heard.mock.calls[0]?.[0]).toEqual({ rows, strip: { tone: 'all' }, arrived: new Map([['1', 'Found 10:42']]) });
  });

  it.each([
    ['another launch', { ...quiet, launch: 'L2', rows: [{}], strip: {} }],
    ['another patient', { ...quiet, patient: 'P2', rows: [{}], strip: {} }],
  ])('drops the answer of %s', async (_, data) => {
    watching(says(data));
    await vi.advanceTimersByTimeAsync(30_000);
    expect(hears.heard).not.toHaveBeenCalled();
    expect(hears.unchecked).toHaveBeenCalledWith('');
  });

  it.each([
    ['a fault of ours', says({}, 500)],
    ['a lost network', () => Promise.reject(new Error('lost'))],
    ['a source that did not answer', says({ ...quiet, missed: ['Northgate'] })],
    ['an answer without its sources', says({ ...whose, known: 'x' })],
  ])('does not claim to have looked after %s, and asks more slowly', async (_, fetcher) => {
    const { asked, watch } = watching(fetcher);
    watch.checked = '10:14';
    await vi.advanceTimersByTimeAsync(30_000);
    expect(hears.unchecked).toHaveBeenLastCalledWith('10:14');
    await vi.advanceTimersByTimeAsync(59_000);
    expect(asked).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it.each([
    ['401', says({}, 401)],
    ['404', says({}, 404)],
    ['the word', says({ ...whose, ended: true })],
  ])('ends on %s and never asks again', async (_, fetcher) => {
    const { asked } = watching(fetcher);
    await vi.advanceTimersByTimeAsync(300_000);
    expect(hears.ended).toHaveBeenCalledTimes(1);
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it('rests while the tab is hidden and looks at once when it comes back', async () => {
    const { asked } = watching(says(quiet));
    page.hidden = true;
    page.on.get('visibilitychange')?.();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(asked).not.toHaveBeenCalled();
    page.hidden = false;
    page.on.get('visibilitychange')?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it('keeps out of the way while the page itself asks, and drops an answer that it overtook', async () => {
    isBusy = true;
    const { asked } = watching(() => {
      isBusy = true;
      return says({ ...quiet, rows: [], strip: {} })();
    });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(asked).not.toHaveBeenCalled();
    isBusy = false;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(asked).toHaveBeenCalledTimes(1);
    expect(hears.heard).not.toHaveBeenCalled();
  });

  it('does nothing where it is off, or stopped', async () => {
    expect((await (async () => { const { asked } = watching(says(quiet), 0); await vi.advanceTimersByTimeAsync(90_000); return asked; })())).not.toHaveBeenCalled();
    const { asked, watch } = watching(says(quiet));
    watch.stop();
    await vi.advanceTimersByTimeAsync(90_000);
    expect(asked).not.toHaveBeenCalled();
  });
});
