import { describe, expect, it } from 'vitest';
import { type Facts, NO_FILTER, UNKNOWN, counted, describe as words, inRange, isActive, monthsBefore, passes, plain, tally } from '../../src/list/facets';

const row = (change: Partial<Facts> = {}): Facts => ({ date: '2024-05-02', modalities: ['CT'], regions: ['Head', 'Neck'], hospitals: ['Kestrel'], text: plain('CT Schädel Kestrel'), ...change });

describe('filter', () => {
  it('lets everything through when nothing is asked', () => {
    expect(passes(row(), NO_FILTER)).toBe(true);
    expect(passes(row({ date: '', modalities: [], regions: [], hospitals: [] }), NO_FILTER)).toBe(true);
    expect(isActive(NO_FILTER)).toBe(false);
  });

  it('needs every kind, and any value of one kind', () => {
    expect(passes(row(), { ...NO_FILTER, region: new Set(['Chest', 'Neck']) })).toBe(true);
    expect(passes(row(), { ...NO_FILTER, region: new Set(['Neck']), modality: new Set(['MR']) })).toBe(false);
  });

  it('finds rows without a value only as Unknown', () => {
    const bare = row({ regions: [] });
    expect(passes(bare, { ...NO_FILTER, region: new Set(['Head']) })).toBe(false);
    expect(passes(bare, { ...NO_FILTER, region: new Set([UNKNOWN]) })).toBe(true);
    expect(passes(row(), { ...NO_FILTER, region: new Set([UNKNOWN]) })).toBe(false);
  });

  it('finds text whatever its case and accents, every word of it', () => {
    expect(passes(row(), { ...NO_FILTER, text: ' SCHADEL ct' })).toBe(true);
    expect(passes(row(), { ...NO_FILTER, text: 'schadel mr' })).toBe(false);
  });

  it.each([
    ['2024-05-02', '2024-05-02', '2024-05-02', true],
    ['2024-05-02', '2024-05-03', '', false],
    ['2024-05', '2024-05-20', '', true],
    ['2024', '', '2024-01-01', true],
    ['2024', '2025-01-01', '', false],
    ['', '2024-01-01', '', false],
    ['', '', '', true],
  ])('date %s from %s to %s: %s', (date, from, to, result) => expect(inRange(date, from, to)).toBe(result));
});

describe('words and counts', () => {
  it('counts each value once a row, most frequent first, absent ones as Unknown', () => {
    expect(tally([['CT'], ['MR', 'MR'], ['CT'], []])).toEqual([['CT', 2], ['MR', 1], [UNKNOWN, 1]]);
  });

  it('names the filter', () => {
    expect(words({ ...NO_FILTER, region: new Set(['Chest']), from: '2024-01-01', text: ' x ' })).toBe('Region: Chest; Date: from 2024-01-01; Find: x');
  });

  it.each([
    [new Date(2026, 4, 21), 3, '2026-02-21'],
    [new Date(2026, 4, 31), 3, '2026-02-28'],
    [new Date(2024, 4, 31), 3, '2024-02-29'],
    [new Date(2026, 0, 15), 12, '2025-01-15'],
  ])('%s minus %i months', (today, months, day) => expect(monthsBefore(today, months)).toBe(day));
});

describe('what is listed', () => {
  it('counts as studies only what has images, and knows the rest apart', () => {
    const rows = [row(), row({ kind: 'study' }), row({ kind: 'known' }), row({ kind: 'ordered' }), row({ kind: 'restricted' })];
    expect(counted(rows)).toEqual({ studies: 2, known: 1, requested: 0, ordered: 1 });
  });
  it('shows the known ones alone', () => {
    const only = { ...NO_FILTER, kind: 'known' };
    expect(isActive(only)).toBe(true);
    expect([row(), row({ kind: 'known' }), row({ kind: 'ordered' })].map((one) => passes(one, only))).toEqual([false, true, false]);
    expect(words(only)).toBe('Known without images');
  });
});
