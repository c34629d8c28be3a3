// The frames of one series: asks for each at most once at a time, takes them from the series stream when it brings
// them first, and keeps who failed. Bytes stay here only until the image is decoded.
import type { StackImage } from '../dicom/images';
import { type Arrived, agrees } from './arriving';
import { type Frame, type SeriesPaths, ViewerFault, getFrame, isAbort } from './gateway';
import { Arrivals, type Stream, streamFiles } from './streaming';

export type FrameState = 'wanted' | 'held' | 'drawn' | 'failed';

export interface FrameSource {
  frame(p: SeriesPaths, instance: string, frame: number, signal: AbortSignal): Promise<Frame>;
  stream: Stream;
}

const GATEWAY: FrameSource = { frame: getFrame, stream: streamFiles };
export const LARGEST_STREAM = 1.5e9; // decoded bytes; beyond it frames come one by one around the image looked at

export class SeriesFrames {
  readonly states: FrameState[];
  readonly faults = new Map<number, ViewerFault>();
  /** Decoded and here: they can be looked at without waiting. */
  readonly ready = new Set<number>();
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

  /** Streams the whole series, or takes over a stream already begun. Resolves when it is through or broken; what is missing then is for `now`. */
  async stream(begun?: Arrivals): Promise<void> {
    const bytes = this.images.reduce((sum, image) => sum + (image.rows * image.columns * image.samples * image.bitsAllocated) / 8, 0);
    if (bytes > LARGEST_STREAM || typeof DecompressionStream === 'undefined') return;
    this.#streaming = true;
    const arrivals = begun ?? new Arrivals(this.paths, this.#abort.signal, this.source.stream);
    arrivals.to((file) => this.#take(file));
    try {
      await arrivals.ended;
    } catch (error) {
      if (error instanceof ViewerFault && error.ended) throw error;
    } finally {
      this.#streaming = false;
    }
  }

  #take({ instance, transferSyntax, frames, values }: Arrived): void {
    const indexes = this.#indexes.get(instance);
    if (!indexes) return; // not in the metadata we were given: withheld, or not a picture
    const first = indexes[0];
    const image = first === undefined ? undefined : this.images[first];
    // Values read otherwise than the metadata says are not used: the frame is asked for by itself and read as it says.
    if (values && image && first !== undefined && agrees(image, values.as)) this.#hold(first, { syntax: transferSyntax, bytes: new Uint8Array(0), values: values.read });
    frames.forEach((bytes, i) => {
      const index = indexes[i];
      if (index !== undefined) this.#hold(index, { syntax: transferSyntax, bytes });
    });
  }

  #hold(index: number, frame: Frame): void {
    if (this.#abort.signal.aborted || this.states[index] === 'drawn' || this.#held.has(index)) return;
    this.#held.set(index, frame);
    this.states[index] = 'held';
    if (frame.values) this.ready.add(index);
    this.faults.delete(index);
    this.#waiting.get(index)?.forEach((arrived) => arrived(frame));
    this.#waiting.delete(index);
    this.onChange(index);
  }

  /** The image was decoded: its bytes can go. */
  drawn(index: number): void {
    this.#held.delete(index);
    this.states[index] = 'drawn';
    this.ready.add(index);
    this.faults.delete(index);
    this.onChange(index);
  }

  /** The decoded image was thrown out to make room: it may be asked for again. */
  forgotten(index: number): void {
    if (this.states[index] !== 'drawn') return;
    this.states[index] = 'wanted';
    this.ready.delete(index);
  }

  fail(index: number, error: unknown): void {
    this.#held.delete(index);
    this.states[index] = 'failed';
    this.ready.delete(index);
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
