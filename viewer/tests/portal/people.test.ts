import { describe, expect, it } from 'vitest';
import { kindOf } from '../../src/portal/header';
import { born, likeness, spoken } from '../../src/portal/people';
import { chosen, survey, type Looked } from '../../src/portal/survey';
import { day, left, size } from '../../src/portal/words';

const ASKED = { name: 'MARCHETTI, Rosalind Jane', born: '1951-08-09' };

describe('whose file it is', () => {
  it.each([
    ['MARCHETTI^Rosalind^J', '19510809', 'same'],
    ['Marchetti^ROSALIND', '19510809', 'same'],
    ['MARCHETTI^R', '19510809', 'same'],
    ['MARCHETTÌ^Rosalind', '19510809', 'same'],
    ['MARCHETTI', '19510809', 'same'],
    ['MARCHETTI^Robert', '19510809', 'doubt'], // a twin, perhaps
    ['OKAFOR^Rosalind', '19510809', 'doubt'], // a married name, perhaps
    ['MARCHETTI^Rosalind', '19510908', 'doubt'], // day and month swapped, perhaps
    ['MARCHETTI^Robert', '19490202', 'other'],
    ['OKAFOR^Ben', '', 'other'],
    ['', '', 'unsure'],
    ['MARCHETTI^Rosalind', '', 'unsure'],
  ])('%s born %s is %s', (name, date, is) => expect(likeness(ASKED, name, date)).toBe(is));
  it('says nothing where nobody was asked for', () => expect(likeness(null, 'X^Y', '19000101')).toBe('unsure'));
  it('is spoken as people write it', () => {
    expect(spoken('MARCHETTI^Rosalind^Jane^Dr=ideographic')).toBe('MARCHETTI, Rosalind Jane');
    expect(spoken('')).toBe('No name in the files');
    expect([born('19510809'), born('1951')]).toEqual(['Born 9 Aug 1951', 'No birth date in the files']);
  });
});

const item = (name: string, bytes = 10) => ({ name, size: bytes, mark: '', slice: async () => new ArrayBuffer(0) });
const image = (name: string, patient: string, date: string, study: string, more = {}): Looked => ({ item: item(name), kind: 'dicom',
  header: { patient, born: date, patientId: '1', study, series: `${study}.1`, date: '20260521', description: 'CT head', modality: 'CT', thickness: 5, ...more } });

describe('what was found', () => {
  const looked: Looked[] = [
    image('a', 'MARCHETTI^Rosalind', '19510809', '1.2'), image('b', 'MARCHETTI^Rosalind', '19510809', '1.2', { thickness: 1.25 }),
    image('c', 'MARCHETTI^Robert', '19490202', '1.3'), { item: item('DICOMDIR'), kind: 'dicomdir', header: null }, { item: item('VIEWER.EXE'), kind: 'other', header: null },
    { item: item('report.pdf'), kind: 'pdf', header: null }, { item: item('odd'), kind: 'dicom', header: null },
  ];
  const found = survey(looked, ASKED, { modality: 'CT', from: '2026-05-01', to: '', thin: true });
  it('keeps people apart, hers first', () => {
    expect(found.owners.map((one) => [one.name, one.is, one.studies.map((study) => [study.items.length, study.chosen, study.asked, study.thick])])).toEqual([
      ['MARCHETTI^Rosalind', 'same', [[2, true, true, false]]], ['MARCHETTI^Robert', 'other', [[1, false, false, true]]],
    ]);
  });
  it('sends hers and what is nobody\'s, and no table of contents that names the other', () => {
    expect(chosen(found).map((one) => one.name)).toEqual(['a', 'b', 'report.pdf', 'odd']);
    expect(found.left.map((one) => one.name)).toEqual(['VIEWER.EXE']);
    const alone = survey(looked.filter((one) => one.item.name !== 'c'), ASKED, null);
    expect(chosen(alone).map((one) => one.name)).toContain('DICOMDIR');
  });
});

describe('kinds by content', () => {
  const bytes = (text: string, at = 0): Uint8Array => Uint8Array.from([...'\0'.repeat(at), ...text].map((letter) => letter.charCodeAt(0)));
  it.each([
    [bytes('DICM\x02\0\0\0', 128), 'dicom'], [bytes('DICM\x02\0\x02\0UI\x14\x001.2.840.10008.1.3.10\0', 128), 'dicomdir'], [bytes('PK\x03\x04'), 'zip'], [bytes('%PDF-1.7'), 'pdf'],
    [bytes('\xff\xd8\xff\xe0'), 'photo'], [bytes('\0\0\0\x18ftypheic'), 'photo'], [bytes('\0\0\0\x18ftypmp42'), 'other'], [bytes('MZ\x90'), 'other'], [bytes('<html>'), 'other'], [bytes(''), 'other'],
  ])('%#', (start, kind) => expect(kindOf(start)).toBe(kind));
});

describe('words', () => {
  it('are as people read them', () => {
    expect([size(0), size(1), size(412_000_000), size(1_200_000_000)]).toEqual(['0 kB', '1 kB', '412 MB', '1.2 GB']);
    expect([day('20260521'), day('2026-05-21'), day('x')]).toEqual(['21 May 2026', '21 May 2026', '']);
    expect([left(Infinity), left(30), left(360), left(9000)]).toEqual(['', 'less than a minute left', 'about 6 minutes left', 'about 3 hours left']);
  });
});
