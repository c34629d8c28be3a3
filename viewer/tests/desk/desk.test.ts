import { describe, expect, it, vi } from 'vitest';
import { lasting, left } from '../../src/desk/due';
import { Live, type LiveOptions } from '../../src/desk/live';
import { lookAtOne } from '../../src/desk/one';
import { numberOf } from '../../src/desk/ticks';

describe('how late it is', () => {
  const now = Date.parse('2026-05-21T09:44:00Z');
  it.each([
    ['2026-05-20T16:00:00Z', 'Overdue 17 h', 'bad'],
    ['2026-05-21T08:30:00Z', 'Overdue 1 h 14 min', 'bad'],
    ['2026-05-21T09:43:59Z', 'Overdue 1 min', 'bad'],
    ['2026-05-21T10:30:00+00:00', 'in 46 min', 'warn'],
    ['2026-05-21T10:44:00Z', 'in 1 h', 'warn'],
    ['2026-05-21T12:00:00Z', 'in 2 h 16 min', ''],
    ['2026-05-29T12:00:00Z', 'in 8 days', ''],
  ])('%s: %s', (iso, words, tone) => expect(left(iso, now)).toEqual({ words, tone }));
  it('says nothing of what is no time', () => expect(left('soon', now)).toBeNull());
  it('never says 0 min', () => expect(lasting(0)).toBe('1 min'));
});

it('knows a row by its number, whatever its version', () => {
  expect([numberOf('RQ-7Q2M4TKX:3'), numberOf('RQ-7Q2M4TKX:12'), numberOf('x')]).toEqual(['RQ-7Q2M4TKX', 'RQ-7Q2M4TKX', '']);
});

function desk(answers: (object | number)[], over: Partial<LiveOptions> = {}) {
  vi.stubGlobal('document', { hidden: false, addEventListener: () => undefined });
  const seen = { drawn: [] as string[], waits: [] as boolean[], said: [] as string[], ended: 0, asked: [] as string[] };
  const live = new Live('a', {
    url: '/desk/watch', launch: 'L', seconds: 1000, fields: () => new URLSearchParams({ view: 'overdue' }), busy: () => false,
    draw: (rows) => seen.drawn.push(rows), waits: (is) => seen.waits.push(is), said: (words) => seen.said.push(words), ended: () => (seen.ended += 1),
    fetch: (async (_: unknown, init: RequestInit) => {
      seen.asked.push(String(init.body));
      const next = answers.shift();
      return typeof next === 'number' ? new Response('', { status: next }) : Response.json(next);
    }) as typeof fetch,
    ...over,
  });
  return { live, seen };
}

describe('an open list', () => {
  it('draws only what changed, and asks with the mark it was told last', async () => {
    const { live, seen } = desk([{ launch: 'L', known: 'a' }, { launch: 'L', known: 'b', at: '09:43', rows: 'R', views: 'V' }, { launch: 'L', known: 'b' }]);
    for (let turn = 0; turn < 3; turn += 1) await live.look();
    live.stop();
    expect(seen.drawn).toEqual(['R']);
    expect(seen.asked.map((one) => new URLSearchParams(one).get('known'))).toEqual(['a', 'a', 'b']);
    expect(seen.said).toEqual(['Live', 'Live, last change 09:43', 'Live']);
  });
  it('moves nothing under somebody’s hands', async () => {
    const { live, seen } = desk([{ launch: 'L', known: 'b', rows: 'R', views: 'V' }], { busy: () => true });
    await live.look();
    expect([seen.drawn, seen.waits]).toEqual([[], [true]]);
    live.show();
    live.stop();
    expect([seen.drawn, seen.waits]).toEqual([['R'], [true, false]]);
  });
  it('drops what another launch was told, and says that it did not check', async () => {
    const { live, seen } = desk([{ launch: 'other', known: 'b', rows: 'R', views: 'V' }, 500, []]);
    for (let turn = 0; turn < 3; turn += 1) await live.look();
    live.stop();
    expect([seen.drawn, seen.ended]).toEqual([[], 0]);
    expect(new Set(seen.said)).toEqual(new Set(['Not checked: no answer']));
  });
  it.each([401, 403, 404])('ends at %i', async (status) => {
    const { live, seen } = desk([status]);
    await live.look();
    expect(seen.ended).toBe(1);
  });
});

describe('one request left open', () => {
  async function looked(answer: object | number, busy = false) {
    const seen: string[] = [];
    const goesOn = await lookAtOne({
      url: '/now', launch: 'L', version: 3, seconds: 15, busy: () => busy, again: () => seen.push('again'), waits: () => seen.push('waits'), ended: () => seen.push('ended'),
      fetch: (async () => (typeof answer === 'number' ? new Response('', { status: answer }) : Response.json(answer))) as unknown as typeof fetch,
    });
    return [seen.join(), goesOn];
  }
  it.each([
    [{ launch: 'L', version: 3 }, false, '', true],
    [{ launch: 'L', version: 4 }, false, 'again', false],
    [{ launch: 'L', version: 4 }, true, 'waits', true],
    [{ launch: 'other', version: 4 }, false, '', true],
    [{ version: 'x' }, false, '', true],
    [401, false, 'ended', false],
    [503, false, '', true],
  ])('%j, busy %s: %s', async (answer, busy, said, goesOn) => expect(await looked(answer, busy)).toEqual([said, goesOn]));
});
