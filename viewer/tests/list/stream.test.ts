import { describe, expect, it, vi } from 'vitest';
import { type Listener, ask, belongs, dispatch } from '../../src/list/stream';

const whose = { launch: 'L1', patient: 'P1' };
const listener = () => ({ rows: vi.fn<Listener['rows']>(), strip: vi.fn<Listener['strip']>(), finished: vi.fn<Listener['finished']>(), ended: vi.fn<Listener['ended']>() });
const event = (name: string, data: object): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const answer = (body: string, init: ResponseInit = {}): (() => Promise<Response>) => {
  const headers = { 'content-type': 'text/event-stream; charset=utf-8' };
  return () => Promise.resolve(new Response(body, { headers, ...init }));
};

describe('echo check', () => {
  it.each([
    [{ launch: 'L1', patient: 'P1' }, true],
    [{ launch: 'L2', patient: 'P1' }, false],
    [{ launch: 'L1', patient: 'P2' }, false],
    [{ launch: 'L1' }, false],
    [null, false],
    ['L1', false],
  ])('%j is ours: %s', (data, ours) => expect(belongs(data, whose)).toBe(ours));

  it('drops rows of another patient and text that is not JSON', () => {
    const hears = listener();
    expect(dispatch('rows', JSON.stringify({ launch: 'L1', patient: 'P2', rows: [{}] }), whose, hears)).toBe('dropped');
    expect(dispatch('rows', '{"launch":"L1","pat', whose, hears)).toBe('dropped');
    expect(hears.rows).not.toHaveBeenCalled();
  });
});

describe('asking', () => {
  const rows = event('rows', { ...whose, rows: [{ uid: '1', sort: '2', html: '<li>' }] });
  const done = event('done', whose);

  it('hands on rows and says that the answer was complete', async () => {
    const hears = listener();
    await ask('/x', whose, hears, new AbortController().signal, answer(rows + done));
    expect(hears.rows).toHaveBeenCalledWith([{ uid: '1', sort: '2', html: '<li>' }], []);
    expect(hears.finished).toHaveBeenCalledWith(true);
  });

  it('is not complete without done, nor with the done of another launch', async () => {
    for (const body of [rows, rows + event('done', { launch: 'L2', patient: 'P1' })]) {
      const hears = listener();
      await ask('/x', whose, hears, new AbortController().signal, answer(body));
      expect(hears.finished).toHaveBeenCalledWith(false);
    }
  });

  it.each([401, 404])('ends the page on %i', async (status) => {
    const hears = listener();
    await ask('/x', whose, hears, new AbortController().signal, answer('', { status }));
    expect(hears.ended).toHaveBeenCalled();
    expect(hears.finished).not.toHaveBeenCalled();
  });

  it.each([
    ['a fault of the server', answer(rows + done, { status: 503 })],
    ['another content type', answer(rows + done, { headers: { 'content-type': 'text/html' } })],
    ['no network', () => Promise.reject(new TypeError('network'))],
  ])('is incomplete after %s', async (_, fetcher) => {
    const hears = listener();
    await ask('/x', whose, hears, new AbortController().signal, fetcher);
    expect(hears.finished).toHaveBeenCalledWith(false);
    expect(hears.rows).not.toHaveBeenCalled();
  });

  it('says nothing after it was told to stop', async () => {
    const hears = listener();
    const control = new AbortController();
    control.abort();
    await ask('/x', whose, hears, control.signal, () => Promise.reject(new DOMException('', 'AbortError')));
    expect(hears.finished).not.toHaveBeenCalled();
  });
});

describe('a stream that hands over', () => {
  const row = (uid: string): object => ({ uid, sort: uid, html: '<li>' });
  const later = event('later', { ...whose, after: 0, since: '2026-11-24T10:00:00+00:00', asking: ['kestrel', 'ehr:n/reports'] });
  const answers = (bodies: string[]): { fetcher: (url: string, init: RequestInit) => Promise<Response>; asked: string[] } => {
    const asked: string[] = [];
    return { asked, fetcher: (url, init) => (asked.push(url), init.signal?.aborted ? Promise.reject(new Error('aborted')) : answer(bodies.shift() ?? '')()) };
  };

  it('is asked again for the rest until it is done, and what it no longer names is gone', async () => {
    const hears = listener();
    const told = answers([event('rows', { ...whose, rows: [row('1'), row('2')] }) + later, later, event('rows', { ...whose, rows: [row('2'), row('3')], all: true }) + event('done', whose)]);
    await ask('/x/stream', whose, hears, new AbortController().signal, told.fetcher);
    expect(told.asked).toEqual(['/x/stream', ...Array(2).fill('/x/stream?since=2026-11-24T10%3A00%3A00%2B00%3A00&asking=kestrel&asking=ehr%3An%2Freports')]);
    expect(hears.rows).toHaveBeenLastCalledWith([row('2'), row('3')], ['1']);
    expect(hears.finished).toHaveBeenCalledExactlyOnceWith(true);
  });

  it('is incomplete when it never comes to its end', async () => {
    const hears = listener();
    await ask('/x/stream', whose, hears, new AbortController().signal, answers([later, '']).fetcher);
    expect(hears.finished).toHaveBeenCalledExactlyOnceWith(false);
  });

  it('drops another launch\'s word on it', async () => {
    const hears = listener();
    const told = answers([event('later', { launch: 'L2', patient: 'P1', after: 0, since: 'x', asking: [] })]);
    await ask('/x/stream', whose, hears, new AbortController().signal, told.fetcher);
    expect(told.asked).toHaveLength(1);
    expect(hears.finished).toHaveBeenCalledWith(false);
  });

  it('stops when the page goes', async () => {
    const hears = listener();
    const control = new AbortController();
    const told = answers([event('later', { ...whose, after: 60_000, since: 'x', asking: [] })]);
    const asking = ask('/x/stream', whose, hears, control.signal, told.fetcher);
    await vi.waitFor(() => expect(told.asked).toHaveLength(1));
    control.abort();
    await asking;
    expect(hears.finished).not.toHaveBeenCalled();
  });
});
