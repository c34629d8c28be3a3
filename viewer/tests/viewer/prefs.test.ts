import { describe, expect, it } from 'vitest';
import { DEFAULTS, Prefs, readPreferences } from '../../src/viewer/prefs';

const world = (answer: unknown): { prefs: Prefs; sent: string[] } => {
  const sent: string[] = [];
  const prefs = new Prefs(async (_url, body) => {
    if (body !== undefined) sent.push(body);
    if (answer instanceof Error) throw answer;
    return answer;
  });
  return { prefs, sent };
};

describe('preferences', () => {
  it('are the defaults until the server has answered, and where it does not', async () => {
    const { prefs, sent } = world(new Error('503'));
    expect(prefs.get('layout')).toBe('1x1');
    await prefs.begin('h');
    prefs.set('layout', '2x2');
    await prefs.settled;
    expect(prefs.get('layout')).toBe('2x2');
    expect(sent).toEqual([]); // what could not be read is not written over
  });

  it('keeps what was chosen while they were on their way, and the rest of what was kept', async () => {
    const { prefs, sent } = world({ ...DEFAULTS, tool: 'zoom', layout: '1x2' });
    const coming = prefs.begin('h');
    prefs.set('layout', '2x2');
    await coming;
    await prefs.settled;
    expect([prefs.get('layout'), prefs.get('tool')]).toEqual(['2x2', 'zoom']);
    expect(JSON.parse(sent[0] ?? '')).toMatchObject({ layout: '2x2', tool: 'zoom', version: 1 });
  });

  it('knows a choice from a default', async () => {
    const { prefs } = world({ ...DEFAULTS, saved: false });
    await prefs.begin('h');
    expect(prefs.isTheirs('letters')).toBe(false);
    prefs.set('letters', false);
    expect(prefs.isTheirs('letters')).toBe(true);
  });

  it('leaves out what has another shape or version', () => {
    expect(readPreferences({ ...DEFAULTS, letters: 'yes', presets: {}, tool: 'pan', more: 1 })).toEqual({ ...DEFAULTS, tool: 'pan' });
    expect(readPreferences({ ...DEFAULTS, version: 2, tool: 'pan' })).toEqual(DEFAULTS);
    expect(readPreferences(null)).toEqual(DEFAULTS);
  });
});
