import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { earlyImage } from '../../src/viewer/early';

const paths = { base: '/d', study: '1', series: '2' };
const canvas = {} as HTMLCanvasElement;
const frame = '--b\r\nContent-Type: application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1\r\n\r\nabcd\r\n--b--\r\n';
const image = { '00080018': { Value: ['9'] }, '00280010': { Value: [2] }, '00280011': { Value: [2] } };
const asked: string[] = [];
let rows: unknown = [{ '00080018': { Value: ['9'] } }];
let patient = 'p';

function answer(url: string): Response {
  if (url.includes('InstanceNumber=1')) return Response.json(rows);
  if (url.endsWith('/instances/9/metadata')) return Response.json([image], { headers: { 'X-Priors-Patient': patient } });
  if (url.endsWith('/instances/9/frames/1')) return new Response(frame, { headers: { 'Content-Type': 'multipart/related; boundary=b' } });
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
  });
  afterEach(() => vi.unstubAllGlobals());

  it('is found by its number and painted from its own bytes', async () => {
    const found = await early(300);
    expect([found?.image.instance, found?.canvas, found?.frame.bytes.length]).toEqual(['9', canvas, 4]);
  });

  it('is not asked for where the series is small', async () => {
    expect([await early(3), asked]).toEqual([null, []]);
  });

  it('is not shown when it is another patient\u2019s', async () => {
    patient = 'q';
    expect(await early(null)).toBeNull();
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
