import { slice } from './files';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

vi.mock('../../src/viewer/picture', () => ({ prepareCanvas: () => undefined, firstPicture: async () => 'painted' }));

const REQUEST = { launch: 'l', patient: 'p', archive: 'a', study: '1' };
const OUTLINE = { launch: 'l', patient: 'p', study: { uid: '1' }, dicomweb: '/l/l/dicomweb/a', series: [{ uid: '2', modality: 'CT', count: 300 }, { uid: '3', modality: 'CT', count: 300 }] };
const asked: string[] = [];
let answer: () => Response;
let first: () => Response;
const outlines = (): string[] => asked.filter((path) => !path.endsWith('/first'));

async function page(opening: object | null): Promise<typeof import('../../src/viewer/ahead')> {
  vi.resetModules();
  vi.stubGlobal('document', { querySelector: () => (opening ? { content: JSON.stringify(opening) } : null) });
  return import('../../src/viewer/ahead');
}

describe('what is asked for from the head of the page', () => {
  beforeEach(() => {
    asked.length = 0;
    answer = () => Response.json(OUTLINE);
    first = () => new Response(null, { status: 204 });
    vi.stubGlobal('location', { href: 'http://app/', origin: 'http://app' });
    vi.stubGlobal('fetch', async (url: URL) => {
      asked.push(url.pathname);
      return url.pathname.endsWith('/first') ? first() : answer();
    });
  });
  afterEach(() => vi.unstubAllGlobals());

  it('is found under way by the viewer, once', async () => {
    const { ahead } = await page(REQUEST);
    expect(asked).toEqual(['/l/l/outline/a/1', '/l/l/outline/a/1/first']);
    const found = ahead(REQUEST);
    expect((await found.outline).study.uid).toBe('1');
    expect(outlines()).toHaveLength(1);
    ahead(REQUEST);
    expect(outlines()).toHaveLength(2);
  });

  it('is given up when another study is opened instead', async () => {
    const { ahead } = await page(REQUEST);
    const other = ahead({ ...REQUEST, study: '7' });
    expect(outlines()).toEqual(['/l/l/outline/a/1', '/l/l/outline/a/7']);
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

  it('paints that image', async () => {
    first = () => new Response(slice({ study: '1', series: '2' }), { headers: { 'X-Priors-Patient': 'p' } });
    const { ahead } = await page(REQUEST);
    const found = ahead(REQUEST);
    const { series } = await found.outline;
    expect(await found.early(series[0] as never)).toMatchObject({ canvas: 'painted', image: { instance: '9' } });
  });

  it('says when that image will not come: there is none, or it is of another series or patient', async () => {
    const patient = (key: string): ResponseInit => ({ headers: { 'X-Priors-Patient': key } });
    for (const file of [() => new Response(null, { status: 204 }), () => Response.json({}, { status: 502 }),
      () => new Response(slice({ study: '1', series: '3' }), patient('p')), () => new Response(slice({ study: '1', series: '2' }), patient('q'))]) {
      first = file;
      const { ahead } = await page(REQUEST);
      const found = ahead(REQUEST);
      expect(await found.picture).toBeNull();
      expect((await found.outline).study.uid).toBe('1');
    }
  });

  it('tells a refusal to whoever waits for the outline', async () => {
    answer = () => Response.json({ error: { code: 'not-found' } }, { status: 404 });
    const { ahead } = await page(REQUEST);
    await expect(ahead(REQUEST).outline).rejects.toMatchObject({ status: 404 });
  });
});
