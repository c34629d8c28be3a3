import { describe, expect, it } from 'vitest';
import type { Triple } from '../../src/viewer/dicom/images';
import { type Link, type Located, across, linkOf, reversed, sameScale, wordsOf } from '../../src/viewer/linking';

const AXIAL: [Triple, Triple] = [[1, 0, 0], [0, 1, 0]];
const SAGITTAL: [Triple, Triple] = [[0, 1, 0], [0, 0, -1]];
const slice = (z: number, frameOfReference: string | null = '1.2', orientation = AXIAL): Located => ({ orientation, position: [0, 0, z], frameOfReference });
const stack = (from: number, step: number, count: number, frame: string | null = '1.2'): Located[] => Array.from({ length: count }, (_, i) => slice(from + i * step, frame));

describe('linking by position in space', () => {
  it('finds the slice at the same place in one frame of reference, whatever the spacing and the order', () => {
    const link = linkOf(slice(0), slice(100), false);
    expect(link.how).toBe('space');
    expect(across(link, slice(12), stack(0, 5, 20))).toEqual({ index: 2, apart: 2 });
    expect(across(link, slice(12), stack(95, -5, 20))).toEqual({ index: 17, apart: 2 });
  });
  it('measures along the normal of slanted slices, not along a table axis', () => {
    const s = Math.SQRT1_2;
    const tilted: [Triple, Triple] = [[1, 0, 0], [0, s, s]];
    const at = (t: number, aside: number): Located => ({ orientation: tilted, position: [7, -s * t + s * aside, s * t + s * aside], frameOfReference: '1' });
    const link = linkOf(at(0, 0), at(0, 40), false);
    const found = across(link, at(10, 0), [at(0, 40), at(10, 40), at(20, 40)]);
    expect(found?.index).toBe(1);
    expect(found?.apart).toBeCloseTo(0);
  });
  it('says how far it misses when the other series ends before', () => {
    expect(across(linkOf(slice(0), slice(0), false), slice(250), stack(0, 5, 21))).toEqual({ index: 20, apart: 150 });
  });
  it('links slices that look the other way too', () => {
    const flipped: [Triple, Triple] = [[-1, 0, 0], [0, 1, 0]];
    const link = linkOf(slice(0), slice(0, '1.2', flipped), false);
    expect(link.how).toBe('space');
    expect(across(link, slice(10), stack(0, 5, 5).map((each) => ({ ...each, orientation: flipped })))?.index).toBe(2);
  });
});

describe('two frames of reference', () => {
  it('are not linked by themselves, and by hand with the offset of that moment', () => {
    expect(linkOf(slice(-100, 'a'), slice(300, 'b'), false)).toEqual({ how: 'none', why: 'elsewhere' });
    const link = linkOf(slice(-100, 'a'), slice(300, 'b'), true);
    expect(link).toMatchObject({ how: 'hand', offset: 400 });
    expect(across(link, slice(-90, 'a'), stack(300, 2.5, 10, 'b'))).toEqual({ index: 4, apart: 0 });
    expect(across(reversed(link), slice(310, 'b'), stack(-100, 2.5, 10, 'a'))).toEqual({ index: 4, apart: 0 });
  });
  it('a file that names none shares it with nobody', () => {
    expect(linkOf(slice(0, null), slice(0, null), false)).toEqual({ how: 'none', why: 'elsewhere' });
  });
});

describe('what cannot be linked', () => {
  const cases: [string, Located, Located, string][] = [
    ['slices that are not parallel', slice(0), slice(0, '1.2', SAGITTAL), 'slanted'],
    ['images without a position', slice(0), { ...slice(0), position: null }, 'unplaced'],
    ['images without directions', { ...slice(0), orientation: null }, slice(0), 'unplaced'],
  ];
  it.each(cases)('%s, also by hand', (_, a, b, why) => {
    expect(linkOf(a, b, true)).toEqual({ how: 'none', why });
    expect(across(linkOf(a, b, true), a, [b])).toBeNull();
  });
  it('says so in words', () => {
    const said = (link: Link): string => wordsOf(link);
    expect(said({ how: 'none', why: 'slanted' })).toBe('Not linked: the slices are not parallel');
    expect(said(linkOf(slice(0, 'a'), slice(0, 'b'), true))).toBe('Linked by hand');
  });
});

describe('one window for two', () => {
  const grey = (modality: string): { modality: string; samples: number } => ({ modality, samples: 1 });
  it('only where a number means the same on both', () => {
    expect(sameScale(grey('CT'), grey('CT'), false)).toBe(true);
    expect(sameScale(grey('CT'), grey('MR'), true)).toBe(false);
    expect(sameScale(grey('MR'), grey('MR'), false)).toBe(false);
    expect(sameScale(grey('MR'), grey('MR'), true)).toBe(true);
    expect(sameScale({ modality: 'CT', samples: 3 }, grey('CT'), true)).toBe(false);
  });
});
