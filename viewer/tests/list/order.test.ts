import { describe, expect, it } from 'vitest';
import { type Placed, compare } from '../../src/list/order';
import { read } from '../../src/list/relevance';

const rows: Placed[] = [
  { uid: '1', sort: '2026-05-21 08:52', key: '' },
  { uid: '2', sort: '2024-09-18 22:05', key: '1000610' },
  { uid: '3', sort: '2026-01-12 14:30', key: '2000129' },
  { uid: '4', sort: '', key: '1999999' },
  { uid: '5', sort: '2023-01-01', key: '' },
  { uid: '6', sort: '2026-05-21 08:52', key: '' },
];
const sorted = (order: 'date' | 'relevance'): string => [...rows].sort(compare(order)).map((one) => one.uid).join('');

describe('order', () => {
  it('is newest first, unknown dates last, and the same each time', () => expect(sorted('date')).toBe('163254'));
  it('puts what matters first and the rest after it, newest first', () => expect(sorted('relevance')).toBe('243165'));
});

describe('what is relevant to a study', () => {
  const whose = { launch: 'L1', patient: 'P1' };
  const told = { ...whose, to: '1.2', words: 'CT head, today', rows: { '1.3': ['1000129', 'Same region, CT, 4 months before'], '1.4': ['1'], '1.5': 'x' } };

  it('takes only what is whole', () => expect([...(read(told, whose, '1.2')?.rows ?? [])]).toEqual([['1.3', { key: '1000129', words: 'Same region, CT, 4 months before' }]]));
  it.each([
    [{ ...told, patient: 'P2' }], [{ ...told, launch: 'L2' }], [{ ...told, to: '1.9' }], [{ ...told, rows: null }], [{ ...told, words: 7 }], [null],
  ])('drops what is not ours: %#', (data) => expect(read(data, whose, '1.2')).toBeNull());
});
