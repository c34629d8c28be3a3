import { describe, expect, it } from 'vitest';
import { staying } from '../../src/viewer/grid';
import { together } from '../../src/viewer/statuses';

describe('which viewports stay when there is less room', () => {
  it('keeps the first ones, and always the one in use', () => {
    expect(staying(['a', 'b', 'c', 'd'], 'b', 2)).toEqual(['a', 'b']);
    expect(staying(['a', 'b', 'c', 'd'], 'd', 2)).toEqual(['a', 'd']);
    expect(staying(['a', 'b'], 'b', 1)).toEqual(['b']);
  });
});

describe('one status line for several viewports', () => {
  const ok = { name: 'Current', line: { tone: 'ok' as const, text: '6 of 6 images loaded' } };
  it('is the line itself when there is one', () => {
    expect(together([ok])).toEqual(ok.line);
  });
  it('never hides a fault beside the picture in use: the worst comes first and gives the tone', () => {
    const bad = { name: 'Prior', line: { tone: 'bad' as const, strong: 'The archive did not answer.', text: 'Try again.', actions: [{ label: 'Try again', run: () => undefined }] } };
    const said = together([ok, bad]);
    expect(said.tone).toBe('bad');
    expect(said.strong).toBe('Prior: The archive did not answer.');
    expect(said.text).toBe('Try again. \u00b7 Current: 6 of 6 images loaded');
    expect(said.actions).toHaveLength(1);
  });
  it('names each when all is well', () => {
    expect(together([ok, { name: 'Prior', line: { tone: 'busy', text: '2 of 6 images loaded' } }]))
      .toEqual({ tone: 'busy', text: 'Prior: 2 of 6 images loaded \u00b7 Current: 6 of 6 images loaded' });
  });
});
