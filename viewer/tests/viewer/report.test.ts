import { expect, test } from 'vitest';
import { commandOf } from '../../src/viewer/keys';

test('E opens the report, and not with a modifier or with letters switched off', () => {
  const plain = { key: 'e', ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };
  expect(commandOf(plain, true)).toBe('report');
  expect(commandOf({ ...plain, ctrlKey: true }, true)).toBeNull();
  expect(commandOf(plain, false)).toBeNull();
});
