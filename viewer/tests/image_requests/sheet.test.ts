import { expect, test } from 'vitest';
import { textOf } from '../../src/image_requests/sheet';

test('lines of one label are joined, empty ones are left out, and the order is the page’s', () => {
  const lines = [['Patient', 'MARCHETTI'], ['From', ' '], ['Also', 'Report'], ['Also', ''], ['Also', 'Thin slices'], ['Why', ' Stroke ']] as const;
  expect(textOf(lines)).toBe('Patient: MARCHETTI\nAlso: Report, Thin slices\nWhy: Stroke');
});
