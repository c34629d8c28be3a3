import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const REQUEST = { launch: 'l', patient: 'p', archive: 'a', study: '1' };
const OUTLINE = { launch: 'l', patient: 'p', study: { uid: '1' }, dicomweb: '/l/l/dicomweb/a', series: [{ uid: '2', modality: 'CT', count: 300 }, { uid: '3', modality: 'CT', count: 300 }] };
const asked: string[] = [];
let answer: () => Response;

async function page(opening: object | null): Promise<typeof import('../../src/viewer/ahead')> {
  vi.resetModules();
  vi.stubGlobal('document', { querySelector: () => (opening ? { content: JSON.stringify(opening) } : null) });
  return import('../../src/viewer/ahead');
}

describe('what is asked for from the head of the page', () => {
  beforeEach(() => {
    asked.length = 0;
    answer = () => Response.json(OUTLINE);
    vi.stubGlobal('location', { href: 'http://app/', origin: 'http://app' });
    vi.stubGlobal('fetch', async (url: URL) => {
      asked.push(url.pathname);
      return url.pathname.includes('/outline/') ? answer() : Response.json({}, { status: 404 });
    });
  });
  afterEach(() => vi.unstubAllGlobals());

  it('is found under way by the viewer, once', async () => {
    const { ahead } = await page(REQUEST);
    expect(asked).toEqual(['/l/l/outline/a/1']);
    const found = ahead(REQUEST);
    expect((await found.outline).study.uid).toBe('1');
    expect(asked.filter((path) => path.includes('/outline/'))).toHaveLength(1);
    ahead(REQUEST);
    expect(asked.filter((path) => path.includes('/outline/'))).toHaveLength(2);
  });

  it('is given up when another study is opened instead', async () => {
    const { ahead } = await page(REQUEST);
    const other = ahead({ ...REQUEST, study: '7' });
    expect(asked).toEqual(['/l/l/outline/a/1', '/l/l/outline/a/7']);
    await expect(other.outline).rejects.toThrow(); // the answer is for study 1
  });

  it('has the first image of the series that opens, and of no other', async () => {
    const { ahead } = await page(null);
    expect(asked).toEqual([]);
    const found = ahead(REQUEST);
    const { series } = await found.outline;
    expect(found.early(series[1] as never)).toBeNull();
    expect(await found.early(series[0] as never)).toBeNull(); // nobody has it: no fault, the metadata tells
  });

  it('tells a refusal to whoever waits for the outline', async () => {
    answer = () => Response.json({ error: { code: 'not-found' } }, { status: 404 });
    const { ahead } = await page(REQUEST);
    await expect(ahead(REQUEST).outline).rejects.toMatchObject({ status: 404 });
  });
});
