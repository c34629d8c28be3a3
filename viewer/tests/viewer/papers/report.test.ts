import { expect, it } from 'vitest';
import type { Dataset } from '../../../src/viewer/dicom/json';
import { leafKind } from '../../../src/viewer/papers/readers';
import { doseOf } from '../../../src/viewer/papers/sr/dose';
import { standingOf } from '../../../src/viewer/papers/sr/standing';
import { MOST_DEPTH, MOST_NODES, readTree, walk } from '../../../src/viewer/papers/sr/tree';

const of = (...Value: unknown[]): { Value: unknown[] } => ({ Value });
const code = (value: string, meaning: string, scheme = 'DCM'): Dataset => ({ '00080100': of(value), '00080102': of(scheme), '00080104': of(meaning) });
const item = (type: string, name: Dataset | null, more: Dataset = {}, relation = 'CONTAINS'): Dataset => ({ '0040A010': of(relation), '0040A040': of(type), ...(name ? { '0040A043': of(name) } : {}), ...more });
const box = (name: Dataset, ...content: Dataset[]): Dataset => item('CONTAINER', name, { '0040A730': of(...content) });
const num = (name: Dataset, value: string, unit: string, ...content: Dataset[]): Dataset =>
  item('NUM', name, { '0040A300': of({ '0040A30A': of(value), '004008EA': of(code(unit, unit, 'UCUM')) }), '0040A730': of(...content) });

it('a measurement, its site and the image it was made on are read (the shape of TID 1500)', () => {
  const image = item('IMAGE', null, { '00081199': of({ '00081155': of('1.9'), '00081160': of(3) }) }, 'INFERRED FROM');
  const { root, cut } = readTree({ ...box(code('126000', 'Imaging Measurement Report'), box(code('125007', 'Measurement Group'),
    num(code('G-D7FE', 'Length'), '-12.5', 'mm', item('CODE', code('G-C0E3', 'Finding Site'), { '0040A168': of(code('39607008', 'Lung')) }, 'HAS CONCEPT MOD'), image))),
    '0020000D': of('1.2'), '0040A375': of({ '0020000D': of('1.2'), '00081115': of({ '0020000E': of('1.5'), '00081199': of({ '00081155': of('1.9') }) }) }) });
  const length = [...walk(root)].find((one) => one.type === 'NUM');
  expect(cut).toBe('');
  expect(length).toMatchObject({ value: '\u221212.5', unit: 'mm', name: { meaning: 'Length' } });
  expect(length?.children.map((one) => one.value)).toEqual(['Lung', '']);
  expect(length?.children[1]?.reference).toEqual({ study: '1.2', series: '1.5', instance: '1.9', frame: 3 });
});

it('depth and number are bounded, and that is said', () => {
  let deep = box(code('1', 'Bottom'));
  for (let i = 0; i < 5000; i += 1) deep = box(code('1', 'Deeper'), deep);
  const read = readTree(deep);
  expect(read.nodes).toBe(MOST_DEPTH + 1);
  expect(read.cut).toContain('nested too deep');
  const wide = readTree(box(code('1', 'Wide'), ...Array.from({ length: 12_000 }, () => item('TEXT', null, { '0040A160': of('x') }))));
  expect(wide.nodes).toBe(MOST_NODES);
  expect(wide.cut).toContain('Only the first 10,000');
});

it('nonsense is read as nothing and breaks nothing', () => {
  for (const odd of [{}, { '0040A730': of(null, 3, 'x', {}) }, item('NUM', null), item('IMAGE', null, { '00081199': of({}) }), item('CODE', {}), item('DATE', null, { '0040A121': of(7) })] as Dataset[]) {
    expect(() => [...walk(readTree({ '0040A730': of(odd) }).root)]).not.toThrow();
  }
});

it('the flags say how far it is to be relied on', () => {
  expect(standingOf({ '0040A491': of('COMPLETE'), '0040A493': of('VERIFIED'), '0040A073': of({ '0040A075': of({ Alphabetic: 'Doe^Jane' }), '0040A030': of('20260102101500') }) }))
    .toEqual({ tone: 'ok', words: ['Complete', 'Verified by DOE, Jane 2 Jan 2026 10:15'] });
  expect(standingOf({ '0040A491': of('COMPLETE'), '0040A493': of('VERIFIED'), '0040A496': of('PRELIMINARY') })).toMatchObject({ tone: 'warn' });
  expect(standingOf({})).toEqual({ tone: 'warn', words: ['Completeness not stated', 'Verification not stated'] });
});

it('a dose report is told in its own numbers: CT and projection', () => {
  const ct = readTree(box(code('113701', 'Dose'), box(code('113811', 'Sums'), num(code('113813', 'DLP total'), '912.4', 'mGy.cm')),
    box(code('113819', 'CT Acquisition'), item('TEXT', code('125203', 'Protocol'), { '0040A160': of('Head') }), box(code('113829', 'CT Dose'), num(code('113830', 'Mean CTDIvol'), '52.6', 'mGy'))))).root;
  expect(doseOf(ct)).toEqual({ totals: [['Total DLP', '912.4 mGy.cm']], columns: ['CTDIvol'], events: [{ label: 'Head', values: { CTDIvol: '52.6 mGy' } }] });
  const xa = readTree(box(code('113701', 'Dose'), box(code('113702', 'Sums'), num(code('113722', 'DAP total'), '0.002', 'Gy.m2')),
    box(code('113706', 'Event'), num(code('122130', 'DAP'), '0.001', 'Gy.m2')))).root;
  expect(doseOf(xa)).toEqual({ totals: [['Total dose area product (DAP)', '0.002 Gy.m2']], columns: ['DAP'], events: [{ label: 'Irradiation 1', values: { DAP: '0.001 Gy.m2' } }] });
  expect(doseOf(readTree({}).root)).toEqual({ totals: [], columns: [], events: [] });
});

it('a reader is chosen by what the object is', () => {
  const kind = (end: string): string => leafKind({ '00080016': of(`1.2.840.10008.5.1.4.1.1.${end}`) });
  expect(['9.1.1', '88.11', '88.67', '88.59', '104.1', '104.2', '66.4'].map(kind)).toEqual(['ecg', 'report', 'dose', 'key', 'pdf', 'cda', 'unknown']);
});
