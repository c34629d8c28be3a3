import { describe, expect, it } from 'vitest';
import { readChoice, resolve, writeChoice } from '../../src/theme/theme';

describe('theme', () => {
  it.each([
    ['dark', 'light', false, 'dark'],
    ['light', 'dark', true, 'light'],
    ['auto', 'dark', false, 'dark'],
    ['auto', 'light', true, 'light'],
    ['auto', '', true, 'dark'],
    ['auto', 'red', false, 'light'],
  ] as const)('choice %s, EHR "%s", dark system %s: %s', (choice, ehr, dark, theme) => expect(resolve(choice, ehr, dark)).toBe(theme));

  it('lives without storage, and believes no strange value', () => {
    const blocked = (): Storage => {
      throw new DOMException('', 'SecurityError');
    };
    expect(readChoice(blocked)).toBe('auto');
    expect(() => writeChoice(blocked, 'dark')).not.toThrow();
    expect(readChoice(() => ({ getItem: () => '<script>' }))).toBe('auto');
  });
});
