import { describe, expect, it } from 'vitest';
import { Ticks, inOrder } from '../../src/list/candidates';
import { commandOf } from '../../src/viewer/keys';
import { ordinal } from '../../src/viewer/outline';
import { type Candidate, nextOlder } from '../../src/viewer/older';

const study = (uid: string, date: string, modality = 'CT', region = 'Chest', archive = 'a'): Candidate => ({ launch: 'l', patient: 'p', archive, study: uid, date, modalities: [modality], regions: [region] });
const now = study('now', '2026-05-19');
const ct = study('ct', '2026-01-27', 'CT', 'Chest', 'b');
const older = study('older', '2024-06-12');
const us = study('us', '2025-12-01', 'US', 'Abdomen');

describe('next older prior', () => {
  it('goes back in time among studies of the same kind and region, whatever lies between', () => {
    const all = [now, us, older, ct, study('later', '2026-05-20')];
    expect(nextOlder(all, now, null)).toBe(ct);
    expect(nextOlder(all, now, ct)).toBe(older);
  });
  it('takes any older one when there is none of the kind, and none when there is no older', () => {
    expect(nextOlder([now, us], now, null)).toBe(us);
    expect(nextOlder([now, study('undated', '')], now, null)).toBeNull();
    expect(nextOlder([now, ct], now, ct)).toBeNull();
  });
});

describe('two to compare', () => {
  it('the later one is the current one', () => {
    expect(inOrder({ uid: 'a', date: '2024-01-01' }, { uid: 'b', date: '2026-01-01' })).toEqual(['b', 'a']);
    expect(inOrder({ uid: 'a', date: '' }, { uid: 'b', date: '2026-01-01' }, 'b')).toEqual(['b', 'a']);
  });
  it('are the last two ticked, or the ticked one beside the open one', () => {
    const ticks = new Ticks();
    expect(ticks.pair('open')).toBeNull();
    ticks.turn('a');
    expect(ticks.pair('open')).toEqual(['open', 'a']);
    expect(ticks.pair('a')).toBeNull();
    ticks.turn('b');
    ticks.turn('c');
    expect(ticks.pair('')).toEqual(['b', 'c']);
    expect(ticks.turn('c')).toBe(false);
    ticks.keep(() => false);
    expect(ticks.all).toEqual([]);
  });
});

describe('keys of the layouts', () => {
  const pressed = (key: string, code = '', alt = true): Parameters<typeof commandOf>[0] => ({ key, code, ctrlKey: false, metaKey: false, altKey: alt, shiftKey: false });
  it('Alt and a digit, also where Alt gives another character, and with letters off', () => {
    expect(commandOf(pressed('2'), false)).toBe('layout2');
    expect(commandOf(pressed('\u20ac', 'Digit4'), true)).toBe('layout4');
    expect(commandOf(pressed('3'), true)).toBeNull();
    expect(commandOf(pressed('2', 'Digit2', false), true)).toBe('preset2');
  });
});

describe('which of two studies is the later one', () => {
  it('is told by the calendar, not by the letters of the date', () => {
    expect(ordinal('3 Aug 2026') < ordinal('23 Nov 2026')).toBe(true);
    expect(ordinal('20260803')).toBe(ordinal('3 Aug 2026'));
    expect(ordinal('Unknown')).toBe('');
  });
});
