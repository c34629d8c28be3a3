import { describe, expect, it } from 'vitest';
import { look } from '../../src/portal/header';
import type { Item } from '../../src/portal/item';

const item = (words: string): Item => {
  const bytes = new TextEncoder().encode(words);
  return { name: 'DICOM/IM000001', size: bytes.length, mark: '1732480000000', slice: async (from, to) => bytes.slice(from, to).buffer };
};

describe('files of two discs', () => {
  it('that have one name, size and time are two files, and the same chosen again is the same', async () => {
    const [one, other, again] = [item('image one'), item('image two'), item('image one')];
    for (const each of [one, other, again]) await look(each);
    expect(one.mark).not.toBe(other.mark);
    expect(one.mark).toBe(again.mark);
    await look(one);
    expect(one.mark.length).toBeLessThanOrEqual(40);
  });
});
