import { expect, test } from 'vitest';
import { left } from '../../src/list/breakglass';

test('minutes in words', () => {
  expect(left(60)).toBe('60 minutes left.');
  expect(left(1)).toBe('1 minute left.');
});
