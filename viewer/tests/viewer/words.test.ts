import { describe, expect, it } from 'vitest';
import { type Command, SHEET, commandOf } from '../../src/viewer/keys';
import { firstSeries, readOutline } from '../../src/viewer/outline';
import { statusOf } from '../../src/viewer/statuses';
import { ViewerFault } from '../../src/viewer/transfer/gateway';
import { clock, day, decimal, numberList } from '../../src/viewer/words';

describe('words', () => {
  it('writes days and times as the design does', () => {
    expect([day('19681122'), day('2026-05-21'), day('1968'), day(''), day('20261399')]).toEqual(['22 Nov 1968', '21 May 2026', '1968', undefined, '20261399']);
    expect([clock('085213.5'), clock('')]).toEqual(['08:52', undefined]);
    expect(decimal(-148.52)).toBe('\u2212148.5');
  });

  it('lists image numbers so that they can be read', () => {
    expect([numberList([71]), numberList([71, 72]), numberList([71, 72, 90]), numberList([1, 2, 3, 4, 9])]).toEqual(['71', '71 and 72', '71, 72 and 90', '1 to 4 and 9']);
    expect(numberList([1, 3, 5, 7, 9, 11])).toBe('1, 3, 5 and 3 more');
  });
});

describe('status', () => {
  const nothing = { go: () => undefined, again: () => undefined };
  const session = (states: string[], settled: boolean, withheld = 0, fault = new ViewerFault('undecodable', 'Damaged.', 'Ask.', 'KC-31D8', 0)): Parameters<typeof statusOf>[0] => ({
    images: states as never, settled, withheld,
    frames: { states, count: (wanted: string) => states.filter((s) => s === wanted).length, faults: new Map(states.flatMap((s, i) => (s === 'failed' ? [[i, fault]] : []))) } as never,
  });

  it('says loaded only for what is here', () => {
    expect(statusOf(session(['drawn', 'wanted'], false), '', nothing)).toMatchObject({ tone: 'busy', text: '1 of 2 images loaded' });
    expect(statusOf(session(['drawn', 'drawn'], true), '', nothing)).toMatchObject({ tone: 'ok', text: '2 of 2 images loaded' });
  });

  it('names the missing ones, whose side it is, and the way there', () => {
    const line = statusOf(session(['drawn', 'failed', 'failed'], true), 'Kestrel', nothing);
    expect(line).toMatchObject({ tone: 'warn', strong: '2 of 3 images could not be loaded.', text: 'Kestrel sent 2 and 3 damaged. Reference KC-31D8' });
    expect(line.actions?.map((action) => action.label)).toEqual(['Go to 2', 'Try again']);
  });

  it('does not blame the hospital for the network', () => {
    const fault = new ViewerFault('unreachable', 'Priors could not be reached.', 'Check the network.', null, 0);
    expect(statusOf(session(['drawn', 'failed'], true, 0, fault), 'Kestrel', nothing).text).toBe('Priors could not be reached. Check the network.');
  });

  it('puts no tick over a series of which the archive counts more, or says that it is not all', () => {
    for (const gap of [{ absent: 3 }, { undrawn: 1 }, { partial: true }]) {
      const line = statusOf({ ...session(['drawn', 'drawn'], true), ...gap }, 'Kestrel', nothing);
      expect(line).toMatchObject({ tone: 'warn', text: '2 of 2 images loaded' });
      expect(line.strong).toBeTruthy();
    }
    expect(statusOf({ ...session(['drawn'], true), absent: 3 }, 'Kestrel', nothing).strong).toBe('Kestrel counts 3 more images in this series than it sent.');
  });

  it('says what was withheld', () => {
    expect(statusOf(session(['drawn'], true, 2), '', nothing)).toMatchObject({ tone: 'warn', text: '1 of 1 image loaded' });
  });
});

describe('outline', () => {
  const request = { launch: 'L', patient: 'P', archive: 'a', study: '1.2' };
  const answer = (more: object): object => ({ launch: 'L', patient: 'P', study: { uid: '1.2' }, series: [], dicomweb: '/x', ...more });

  it('is refused when it is for another launch, patient or study', () => {
    expect(readOutline(answer({}), request).study.uid).toBe('1.2');
    for (const wrong of [{ launch: 'X' }, { patient: 'X' }, { study: { uid: '9' } }, { study: null }]) expect(() => readOutline(answer(wrong), request)).toThrow(ViewerFault);
    expect(() => readOutline(null, request)).toThrow(ViewerFault);
  });

  it('opens the first series with pictures that is no localizer', () => {
    const one = (uid: string, kind: string, description: string): object => ({ uid, kind, description, modality: 'CT' });
    const { series } = readOutline(answer({ series: [one('1', 'document', 'Dose'), one('2', 'images', 'Scout'), one('3', 'images', 'Brain'), 7, {}] }), request);
    expect(firstSeries(series)?.uid).toBe('3');
    expect(firstSeries(series.slice(0, 2))?.uid).toBe('2');
    expect(firstSeries([])).toBeUndefined();
  });
});

describe('keys', () => {
  const press = (key: string, more = {}): Parameters<typeof commandOf>[0] => ({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more });

  it('give way to browser and screen reader keys', () => {
    expect(commandOf(press('r'), true)).toBe('rotate');
    for (const held of ['ctrlKey', 'metaKey', 'altKey', 'shiftKey']) expect(commandOf(press('r', { [held]: true }), true)).toBeNull();
    expect(commandOf(press('?', { shiftKey: true }), true)).toBe('help');
  });

  it('lose their letters when switched off, and keep the rest', () => {
    expect(commandOf(press('w'), false)).toBeNull();
    expect(commandOf(press('ArrowDown'), false)).toBe('next');
    expect(commandOf(press(' '), false)).toBe<Command>('play');
  });

  it('are all in the sheet', () => {
    const shown = SHEET.flatMap(({ rows }) => rows.flatMap(([, keys]) => keys));
    for (const key of ['W', 'Z', 'P', 'S', 'L', 'A', 'I', 'R', 'H', 'F', '0', 'T', '?', 'Del', 'Space', 'Esc', 'Home', 'End']) expect(shown).toContain(key);
  });
});
