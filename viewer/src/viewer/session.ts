// One series being looked at: its metadata, its frames, the order in which they are fetched and decoded.
// Knows the gateway and (once loaded) the stack; draws no control and writes no word.
import { type StackImage, readHead, readStack, type FileHead } from './dicom/images';
import { type Early, earlyImage } from './early';
import { painted } from './moments';
import { firstPicture } from './picture';
import type { Stack } from './stack';
import { LARGEST_STREAM, SeriesFrames } from './transfer/frames';
import { type SeriesPaths, ViewerFault, getMetadata, isAbort } from './transfer/gateway';
import { Arrivals } from './transfer/streaming';

export interface SeriesEvents {
  ready: (session: SeriesSession) => void;                     // metadata read
  picture: (canvas: HTMLCanvasElement | null) => void;         // first picture painted, or null: it was not the first
  drawn: (session: SeriesSession) => void;                     // first real render is on the screen
  progress: (session: SeriesSession) => void;
  settled: (session: SeriesSession) => void;                   // everything that could be loaded is
  ended: (fault: ViewerFault) => void;                         // the launch is over
}

const AT_ONCE = 6;      // requests in flight, as a browser allows on one HTTP/1.1 host
const DECODING = 4;
const SLICE = 8;        // ms of work after which the page may do something else
const KEEP_AHEAD = 1.2e9; // decoded bytes that are prepared without being looked at, by all that are open beside each other

export class SeriesSession {
  readonly #abort = new AbortController();
  frames: SeriesFrames | null = null;
  images: StackImage[] = [];
  head: FileHead | null = null;
  withheld = 0;
  /** Objects of this series that the archive counts and did not describe, or described without a picture. */
  absent = 0;
  undrawn = 0;
  /** The archive itself says that its answer is not all. */
  partial = false;
  settled = false;
  index = 0;
  #stack: Stack | null = null;
  #early: Early | null = null;
  #arrivals: Arrivals | null = null;
  #whole: () => void = () => undefined;

  constructor(readonly paths: SeriesPaths, private readonly patient: string, private readonly counted: number | null, private readonly events: SeriesEvents, private readonly cells: () => number = () => 1) {}

  /**
   * Fetches the metadata and the first frame, paints it, puts the stack up and loads the rest. Rejects with ViewerFault.
   * `ahead`: the first image, where it was asked for before.
   */
  async open(stack: () => Promise<Stack>, ahead: Promise<Early | null> | null = null): Promise<void> {
    void (ahead ?? earlyImage(this.paths, this.patient, this.counted, this.#abort.signal)).then((early) => this.#before(early, stack));
    const { sets, withheld, patient, partial } = await getMetadata(this.paths, this.#abort.signal);
    if (patient !== null && patient !== this.patient) {
      throw new ViewerFault('mismatch', 'The answer was for another patient, so it was not shown.', 'Open the Images tab again from the patient\u2019s chart.', null, 0);
    }
    this.withheld = withheld;
    this.images = readStack(sets);
    this.partial = partial;
    this.absent = Math.max(0, (this.counted ?? 0) - sets.length - withheld);
    this.undrawn = sets.length - new Set(this.images.map((image) => image.instance)).size;
    this.head = sets[0] ? readHead(sets[0]) : null;
    const first = this.images[0];
    if (!first) throw withheld ? allWithheld() : new ViewerFault('empty', 'This series holds no picture that can be drawn.', 'Ask the sending hospital if you expected one.', null, 0);
    const frames = new SeriesFrames(this.paths, this.images, () => {
      if (frames.ready.size === this.images.length) this.#whole();
      this.events.progress(this);
    });
    this.frames = frames;
    const early = this.#early;
    if (early && early.image.instance === first.instance && first.frame === 1) frames.give(0, early.frame);
    else if (early) this.events.picture(null);
    this.events.ready(this);
    if (frames.states[0] === 'wanted') await this.#paint(frames, first);
    // Not before the first picture: hundreds of images would take the cores and the line that it needs.
    const stream = this.images.length > 1 ? frames.stream(this.#arrivals ?? undefined).catch((error: unknown) => this.#over(error)) : Promise.resolve();
    await this.#all(await stack(), frames, stream);
  }

  // Shows the first image and fills the rest in beside it: what the stream brought needs little more than a place.
  async #all(stack: Stack, frames: SeriesFrames, stream: Promise<void>): Promise<void> {
    let filling: Promise<void> | null = this.#shown ? this.#fill(stack, frames, stream) : null;
    if (!filling && (await this.#show(stack, frames, () => { filling ??= this.#fill(stack, frames, stream); }))) this.events.drawn(this);
    await filling;
    if (this.#abort.signal.aborted) return;
    this.settled = true;
    this.events.settled(this);
  }

  // Only as long as the series itself is not known: then it may turn out that another image comes first.
  #before(early: Early | null, stack: () => Promise<Stack>): void {
    if (!early || this.frames || this.#abort.signal.aborted) return;
    this.#early = early;
    this.events.picture(early.canvas);
    // The rest comes while Cornerstone starts, which mostly waits for the graphics.
    const bytes = early.frame.bytes.length * (this.counted ?? Infinity);
    if (bytes < LARGEST_STREAM) void painted().then(() => { if (!this.frames) this.#arrivals = new Arrivals(this.paths, this.#abort.signal); });
    stack().catch(() => undefined); // begun now; `open` waits for it and tells what went wrong
  }

  /**
   * Whether Cornerstone may start: it takes the cores for a second or two, in which images that need no decoder are all here.
   * Resolves when they are, after `patience` ms, or at once where a decoder is needed or nothing was painted early.
   */
  async room(patience: number): Promise<void> {
    if (this.#early?.frame.values) await Promise.race([new Promise<void>((resolve) => { this.#whole = resolve; }), pause(patience)]);
  }

  async #paint(frames: SeriesFrames, image: StackImage): Promise<void> {
    try {
      const frame = await frames.now(0);
      if (this.index === 0) this.events.picture(await firstPicture(image, frame, this.paths, this.#abort.signal));
    } catch (error) {
      if (isAbort(error) || this.#abort.signal.aborted) throw error;
      this.#over(error); // the stack tells what is wrong with it, in the picture's place
    }
  }

  // The first image that can be shown: a broken one at the start must not hide the others.
  async #show(stack: Stack, frames: SeriesFrames, taken: () => void): Promise<boolean> {
    this.#stack = stack;
    const asked = this.index;
    const order = [asked, ...this.images.keys()].slice(0, 40);
    for (const index of order) {
      if (this.#abort.signal.aborted) return false;
      if (frames.states[index] === 'failed') continue;
      try {
        await stack.open(frames, index, taken);
        if (this.index === asked && frames.states[asked] !== 'failed') this.index = index;
        this.#shown = true;
        return true;
      } catch (error) {
        if (isAbort(error)) throw error;
        this.#over(error);
      }
    }
    return false;
  }

  async #fill(stack: Stack, frames: SeriesFrames, stream: Promise<void>): Promise<void> {
    let streaming = true;
    void stream.then(() => { streaming = false; });
    const workers = Array.from({ length: Math.max(AT_ONCE, DECODING) }, async () => {
      while (!this.#abort.signal.aborted) {
        const next = this.#next(frames, streaming, Math.max(1, Math.floor(KEEP_AHEAD / Math.max(1, this.cells()) / this.#imageBytes())));
        if (next !== null) await this.#prepare(stack, next);
        else if (streaming) await pause(40);
        else return;
      }
    });
    await Promise.all(workers);
  }

  readonly #busy = new Set<number>();
  #since = 0;
  #shown = false;

  // The nearest one to where the person is: those that the stream brought first, and any other once it is over.
  #next(frames: SeriesFrames, streaming: boolean, room: number): number | null {
    if (frames.count('drawn') + this.#busy.size >= room) return null;
    const total = this.images.length;
    for (let away = 0; away < total; away++) {
      for (const index of away ? [this.index + away, this.index - away] : [this.index]) {
        const state = frames.states[index];
        if (state === undefined || this.#busy.has(index)) continue;
        if (state === 'held' || (state === 'wanted' && !streaming)) return index;
      }
    }
    return null;
  }

  async #prepare(stack: Stack, index: number): Promise<void> {
    this.#busy.add(index);
    try {
      await stack.prepare(index);
    } catch (error) {
      this.#over(error);
    } finally {
      this.#busy.delete(index);
    }
    if (performance.now() - this.#since < SLICE) return;
    await pause(0); // lets the wheel and the keys in between
    this.#since = performance.now();
  }

  #imageBytes(): number {
    const image = this.images[0];
    return image ? image.rows * image.columns * image.samples * (image.bitsAllocated > 8 ? 2 : 1) : 1;
  }

  /** Asks once more for the images that failed. */
  async retry(): Promise<void> {
    const { frames } = this;
    if (!frames || !this.#stack) return;
    this.settled = false;
    this.images.forEach((_, i) => frames.retry(i));
    this.events.progress(this);
    await this.#all(this.#stack, frames, Promise.resolve());
  }

  #over(error: unknown): void {
    if (error instanceof ViewerFault && error.ended) this.events.ended(error);
  }

  close(): void {
    this.#abort.abort();
    this.frames?.stop();
  }

  get closed(): boolean {
    return this.#abort.signal.aborted;
  }
}

function allWithheld(): ViewerFault {
  return new ViewerFault('withheld', 'Every image of this series was withheld: they name another patient or study than this one.', 'The image desk was told.', null, 0);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => { setTimeout(resolve, ms); });
}
