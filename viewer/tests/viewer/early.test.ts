import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { earlyImage } from '../../src/viewer/early';
import { slice } from './files';

const paths = { base: '/d', study: '1', series: '2' };
const canvas = {} as HTMLCanvasElement;
let file = slice({ instance: '9', study: '1', series: '2' });
const asked: string[] = [];
let rows: unknown = [{ '00080018': { Value: ['9'] } }];
let patient = 'p';

function answer(url: string): Response {
  if (url.includes('InstanceNumber=1')) return Response.json(rows);
  if (url.endsWith('/instances/9')) return new Response(file, { headers: { 'X-Priors-Patient': patient } });
  return Response.json({}, { status: 404 });
}

const early = (counted: number | null): ReturnType<typeof earlyImage> => earlyImage(paths, 'p', counted, new AbortController().signal, async () => canvas);

describe('the first image before its series is known', () => {
  beforeEach(() => {
    vi.stubGlobal('location', { href: 'http://app/', origin: 'http://app' });
    vi.stubGlobal('fetch', async (url: URL) => { asked.push(url.href); return answer(url.href); });
    asked.length = 0;
    rows = [{ '00080018': { Value: ['9'] } }];
    patient = 'p';
    file = slice({ instance: '9', study: '1', series: '2' });
  });
  afterEach(() => vi.unstubAllGlobals());

  it('is found by its number and painted from its own bytes', async () => {
    const found = await early(300);
    expect([found?.image.instance, found?.canvas, found?.frame.bytes.length]).toEqual(['9', canvas, 8]);
  });

  it('is not asked for where the series is small', async () => {
    expect([await early(3), asked]).toEqual([null, []]);
  });

  it('is not shown when it is another patient\u2019s', async () => {
    patient = 'q';
    expect(await early(null)).toBeNull();
  });

  it('is not shown when the file names another study, series or instance', async () => {
    for (const other of [{ study: '7' }, { series: '7' }, { instance: '7' }]) {
      file = slice({ instance: '9', study: '1', series: '2', ...other });
      expect(await early(300)).toBeNull();
    }
  });

  it('is not shown when the file is cut short', async () => {
    file = file.slice(0, file.length - 1);
    expect(await early(300)).toBeNull();
  });

  it('is left out when several or none bear the number, or nothing answers', async () => {
    rows = [...(rows as unknown[]), ...(rows as unknown[])];
    expect(await early(300)).toBeNull();
    rows = [];
    expect(await early(300)).toBeNull();
    rows = [{ '00080018': { Value: ['8'] } }];
    expect(await early(300)).toBeNull();
  });
});
