// The frames of one series: asks for each at most once at a time, takes them from the series stream when it brings
// them first, and keeps who failed. Bytes stay here only until the image is decoded.
import { readPart10 } from '../dicom/part10';
import type { StackImage } from '../dicom/images';
import { type Frame, type SeriesPaths, ViewerFault, getFrame, isAbort, streamSeries } from './gateway';

export type FrameState = 'wanted' | 'held' | 'drawn' | 'failed';

export interface FrameSource {
  frame(p: SeriesPaths, instance: string, frame: number, signal: AbortSignal): Promise<Frame>;
  stream(p: SeriesPaths, onFile: (bytes: Uint8Array<ArrayBuffer>) => void, signal: AbortSignal): Promise<void>;
}

const GATEWAY: FrameSource = { frame: getFrame, stream: streamSeries };
const LARGEST_STREAM = 1.5e9; // decoded bytes; beyond it frames come one by one around the image looked at

export class SeriesFrames {
  readonly states: FrameState[];
  readonly faults = new Map<number, ViewerFault>();
  readonly #held = new Map<number, Frame>();
  readonly #asked = new Map<number, Promise<Frame>>();
  readonly #waiting = new Map<number, ((frame: Frame) => void)[]>();
  readonly #indexes = new Map<string, number[]>();
  readonly #abort = new AbortController();
  #streaming = false;

  constructor(
    readonly paths: SeriesPaths,
    readonly images: StackImage[],
    private readonly onChange: (index: number) => void,
    private readonly source: FrameSource = GATEWAY,
  ) {
    this.states = images.map(() => 'wanted');
    images.forEach((image, i) => {
      const of = this.#indexes.get(image.instance) ?? [];
      of[image.frame - 1] = i;
      this.#indexes.set(image.instance, of);
    });
  }

  get streaming(): boolean {
    return this.#streaming;
  }

  /** The frame now: what is held, else asked for at once, stream or not. Rejects with ViewerFault. */
  now(index: number): Promise<Frame> {
    const held = this.#held.get(index);
    if (held) return Promise.resolve(held);
    const asked = this.#asked.get(index);
    if (asked) return asked;
    const image = this.images[index];
    if (!image) return Promise.reject(new RangeError('no such image'));
    const promise = this.#race(index, image).finally(() => this.#asked.delete(index));
    this.#asked.set(index, promise);
    return promise;
  }

  /** Takes a frame that was fetched before the series was known. */
  give(index: number, frame: Frame): void {
    this.#hold(index, frame);
  }

  async #race(index: number, image: StackImage): Promise<Frame> {
    let arrived: ((frame: Frame) => void) | undefined;
    const fromStream = new Promise<Frame>((resolve) => { arrived = resolve; });
    const list = this.#waiting.get(index) ?? [];
    if (arrived) list.push(arrived);
    this.#waiting.set(index, list);
    try {
      const frame = await Promise.race([fromStream, this.source.frame(this.paths, image.instance, image.frame, this.#abort.signal)]);
      this.#hold(index, frame);
      return frame;
    } catch (error) {
      if (!isAbort(error)) this.fail(index, error);
      throw error;
    }
  }

  /** Streams the whole series. Resolves when it is through or broken; what is missing then is for `now`. */
  async stream(): Promise<void> {
    const bytes = this.images.reduce((sum, image) => sum + (image.rows * image.columns * image.samples * image.bitsAllocated) / 8, 0);
    if (bytes > LARGEST_STREAM || typeof DecompressionStream === 'undefined') return;
    this.#streaming = true;
    const reading: Promise<void>[] = [];
    try {
      await this.source.stream(this.paths, (file) => reading.push(this.#take(file)), this.#abort.signal);
    } catch (error) {
      if (error instanceof ViewerFault && error.ended) throw error;
    } finally {
      await Promise.all(reading);
      this.#streaming = false;
    }
  }

  async #take(file: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      const { instance, transferSyntax, frames } = await readPart10(file);
      const indexes = this.#indexes.get(instance);
      if (!indexes) return; // not in the metadata we were given: withheld, or not a picture
      frames.forEach((bytes, i) => {
        const index = indexes[i];
        if (index !== undefined && this.states[index] !== 'drawn') this.#hold(index, { syntax: transferSyntax, bytes });
      });
    } catch {
      // this file is asked for again frame by frame, and its own answer says what is wrong
    }
  }

  #hold(index: number, frame: Frame): void {
    if (this.#abort.signal.aborted || this.states[index] === 'drawn' || this.#held.has(index)) return;
    this.#held.set(index, frame);
    this.states[index] = 'held';
    this.faults.delete(index);
    this.#waiting.get(index)?.forEach((arrived) => arrived(frame));
    this.#waiting.delete(index);
    this.onChange(index);
  }

  /** The image was decoded: its bytes can go. */
  drawn(index: number): void {
    this.#held.delete(index);
    this.states[index] = 'drawn';
    this.faults.delete(index);
    this.onChange(index);
  }

  /** The decoded image was thrown out to make room: it may be asked for again. */
  forgotten(index: number): void {
    if (this.states[index] === 'drawn') this.states[index] = 'wanted';
  }

  fail(index: number, error: unknown): void {
    this.#held.delete(index);
    this.states[index] = 'failed';
    this.faults.set(index, error instanceof ViewerFault ? error
      : new ViewerFault('undecodable', 'This image is damaged and could not be drawn.', 'Ask the sending hospital to send it again.', null, 0));
    this.onChange(index);
  }

  retry(index: number): void {
    if (this.states[index] === 'failed') this.states[index] = 'wanted';
    this.faults.delete(index);
  }

  count(state: FrameState): number {
    return this.states.reduce((sum, each) => sum + Number(each === state), 0);
  }

  stop(): void {
    this.#abort.abort();
    this.#held.clear();
    this.#waiting.clear();
  }
}
