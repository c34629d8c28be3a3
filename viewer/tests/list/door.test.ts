import { describe, expect, it } from 'vitest';
import { type Told, notListed, wanted } from '../../src/list/door';

const told = (change: Partial<Told> = {}): Told => ({ sentence: '', studies: [], accession: false, study: '', modalities: [], from: '', to: '', newest: 0, ...change });
const rows = [
  { uid: '1', sort: '2026-05-21', date: '2026-05-21', modalities: ['CT'] },
  { uid: '2', sort: '2024-01-02', date: '2024-01-02', modalities: ['MR'] },
  { uid: '3', sort: '2025-02-03', date: '2025-02-03', modalities: ['CT', 'PT'] },
  { uid: '4', sort: '', date: '', modalities: ['CT'] },
];

describe('what another system asked for', () => {
  it('is the whole list when nothing narrows it', () => expect(wanted(told({ studies: ['1'] }), rows)).toBeNull());
  it('is the studies it named, if they are several', () => expect(wanted(told({ studies: ['1', '3'] }), rows)?.only).toEqual(new Set(['1', '3'])));
  it('is a time and modalities', () => {
    expect(wanted(told({ modalities: ['CT'], from: '2025-01-01', to: '2026-01-01' }), rows)).toEqual({ modality: new Set(['CT']), from: '2025-01-01', to: '2026-01-01' });
  });
  it('is the newest of those that fit, whatever order they came in', () => {
    expect(wanted(told({ newest: 2 }), rows)?.only).toEqual(new Set(['1', '3']));
    expect(wanted(told({ newest: 1, modalities: ['MR'] }), rows)?.only).toEqual(new Set(['2']));
    expect(wanted(told({ newest: 5, to: '2025-12-31' }), rows)?.only).toEqual(new Set(['3', '2']));
  });
});

it('never says that a study is not there while somebody has not answered', () => {
  expect(notListed(true)).toContain('is not in this patient’s list');
  expect(notListed(false)).toContain('may be incomplete');
  for (const said of [notListed(true), notListed(false)]) expect(said).toContain('Nothing was opened');
});
