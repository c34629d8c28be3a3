import { describe, expect, it } from 'vitest';
import { type StackImage, readStack } from '../../src/viewer/dicom/images';
import { readHeader } from '../../src/viewer/dicom/header';
import { readArrived } from '../../src/viewer/transfer/arriving';
import { type FrameSource, SeriesFrames } from '../../src/viewer/transfer/frames';
import { type Frame, ViewerFault } from '../../src/viewer/transfer/gateway';
import { Arrivals } from '../../src/viewer/transfer/streaming';
import { slice } from './files';

const paths = { base: '/d', study: '1', series: '2' };
const images = (n: number): StackImage[] => Array.from({ length: n }, (_, i) => ({ instance: `i${i}`, frame: 1, rows: 1, columns: 1, samples: 1, bitsAllocated: 8 }) as StackImage);
const described = (n: number): StackImage[] => Array.from({ length: n }, (_, i) => readStack([readHeader(slice({ instance: `i${i}` })) ?? {}])[0] as StackImage);
const made = (n: number): Frame => ({ syntax: 's', bytes: Uint8Array.from([n]) });
const source = (frame: FrameSource['frame'], stream: FrameSource['stream'] = async () => undefined): FrameSource => ({ frame, stream });

describe('frames of a series', () => {
  it('asks once for what is asked twice', async () => {
    let asked = 0;
    const frames = new SeriesFrames(paths, images(1), () => undefined, source(async () => { asked += 1; return made(7); }));
    const [a, b] = await Promise.all([frames.now(0), frames.now(0)]);
    expect([asked, a.bytes[0], b.bytes[0], frames.states[0]]).toEqual([1, 7, 7, 'held']);
  });

  it('confines a failure to its image, and forgets it on retry', async () => {
    const broken = new ViewerFault('damaged', 'Damaged.', 'Ask.', 'R-1', 502);
    let well = false;
    const frames = new SeriesFrames(paths, images(2), () => undefined, source(async (_, instance) => {
      if (instance === 'i0' && !well) throw broken;
      return made(1);
    }));
    await expect(frames.now(0)).rejects.toBe(broken);
    await frames.now(1);
    expect([frames.states, frames.faults.get(0)?.reference]).toEqual([['failed', 'held'], 'R-1']);
    well = true;
    frames.retry(0);
    await frames.now(0);
    expect(frames.count('failed')).toBe(0);
  });

  it('a broken stream is no failure of an image, an ended launch is one of the series', async () => {
    const cut = new SeriesFrames(paths, images(1), () => undefined, source(async () => made(1), async () => { throw new Error('cut'); }));
    await expect(cut.stream()).resolves.toBeUndefined();
    expect(cut.states).toEqual(['wanted']);
    const over = new SeriesFrames(paths, images(1), () => undefined, source(async () => made(1), async () => { throw new ViewerFault('session-ended', '', '', null, 401); }));
    await expect(over.stream()).rejects.toThrow();
  });

  it('takes what a stream brings, also what came before the metadata', async () => {
    const file = await readArrived(slice({ instance: 'i1' }));
    let end = (): void => undefined;
    const begun = new Arrivals(paths, new AbortController().signal, async (_, onFile) => { onFile(file); await new Promise<void>((resolve) => { end = resolve; }); });
    const frames = new SeriesFrames(paths, described(2), () => undefined, source(async () => made(5)));
    const streamed = frames.stream(begun);
    expect([frames.states, frames.streaming]).toEqual([['wanted', 'held'], true]);
    expect([...((await frames.now(1)).values?.data ?? [])]).toEqual([-1024, 0, 1024, 3071]);
    end();
    await streamed;
    expect(frames.streaming).toBe(false);
    expect((await frames.now(0)).bytes[0]).toBe(5);
  });

  it('does not use values that were read otherwise than the metadata says', async () => {
    const file = await readArrived(slice({ instance: 'i0', slope: '2' }));
    const frames = new SeriesFrames(paths, described(1), () => undefined, source(async () => made(5), async (_, onFile) => onFile(file)));
    await frames.stream();
    expect(frames.states).toEqual(['wanted']);
    expect((await frames.now(0)).bytes[0]).toBe(5);
  });

  it('drops a file that the metadata does not name', async () => {
    const file = await readArrived(slice({ instance: 'withheld' }));
    const frames = new SeriesFrames(paths, described(1), () => undefined, source(async () => made(5), async (_, onFile) => onFile(file)));
    await frames.stream();
    expect(frames.states).toEqual(['wanted']);
  });

  it('lets bytes go once drawn, and takes nothing after it was stopped', async () => {
    const frames = new SeriesFrames(paths, images(1), () => undefined, source(async () => made(1)));
    await frames.now(0);
    frames.drawn(0);
    expect(frames.states).toEqual(['drawn']);
    frames.forgotten(0);
    frames.stop();
    await frames.now(0);
    expect(frames.states).toEqual(['wanted']);
  });
});
