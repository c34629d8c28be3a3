// One viewport: the series in it, where it comes from, the image in view, and what stands in the picture's place when there
// is none. Says what happens to those who listen; knows no toolbar, no status line and no other cell.
import type { Ahead } from './ahead';
import { cornersOf } from './corners';
import type { StackImage } from './dicom/images';
import { edgeLetters } from './dicom/orientation';
import { rateOf } from './dicom/timing';
import { Layers } from './layers';
import { LoopPlayer } from './loop';
import { painted } from './moments';
import { type Outline, type OutlineSeries, type Request, isDrawable } from './outline';
import { firstPicture, isPaintable } from './picture';
import { SeriesSession } from './session';
import type { Shown, Stack } from './stack';
import type { SeriesFrames } from './transfer/frames';
import { ViewerFault, isAbort } from './transfer/gateway';
import { h } from './ui/dom';
import { ViewportFrame } from './ui/viewport';
import { Wheel } from './wheel';
import { type Preset, type Window, presetsFor } from './windows';

const PROGRESS_MS = 250;
const PATIENCE_MS = 1500;

/** One study that was opened: how it was asked for and what the server says of it. `early`: an image asked for before. */
export interface Source { readonly request: Request; readonly outline: Outline; readonly early?: Ahead['early'] }

/** `leaving`: the series is about to go. `series`: another one was put in. `ready`: its images are known. `shown`: the first is drawn. `image`: another in view.
 * `moved`: anything of the picture changed. `progress`: more of it is here. `whole`: all of it is decoded. `failed`: see `fault`. */
export type Happening = 'leaving' | 'series' | 'ready' | 'picture' | 'shown' | 'image' | 'moved' | 'progress' | 'whole' | 'failed' | 'playing' | 'closed';

export type State = 'empty' | 'loading' | 'shown' | 'paper' | 'document' | 'error';
export interface Facts { state: State; loaded: number; total: number; failed: number; withheld: number; settled: number }
const NOTHING: Facts = { state: 'empty', loaded: 0, total: 0, failed: 0, withheld: 0, settled: 0 };

/** What a cell needs of the others: which patient all of this is about, whether dragging scrolls, how many share the memory. */
export interface Surroundings { readonly patient: string; readonly launch: string; scrolls: () => boolean; cells: () => number; ended: (fault: ViewerFault) => void }

let made = 0;

export class Cell {
  readonly id = `priors-stack-${(made += 1)}`;
  readonly frame: ViewportFrame;
  readonly element: HTMLElement;
  readonly layers: Layers;
  readonly cine: LoopPlayer;
  readonly #wheel: Wheel;
  readonly #listeners = new Set<(what: Happening) => void>();
  source: Source | null = null;
  series: OutlineSeries | null = null;
  session: SeriesSession | null = null;
  fault: ViewerFault | null = null;
  facts: Facts = NOTHING;
  presets: Preset[] = [];
  /** What the toolbar says at its end: the place among the series, or how fast a loop runs. */
  remark = '';
  index = 0;
  #stack: Promise<Stack> | null = null;
  #live: Stack | null = null;
  #queued = 0;
  #later = 0;
  #told: SeriesSession | null = null;
  #gone = false;

  constructor(private readonly around: Surroundings) {
    this.frame = new ViewportFrame((index) => void this.go(index));
    this.element = h('section', 'v-cell', {}, this.frame.element);
    this.layers = new Layers(this.frame.pixels, () => this.refresh());
    this.cine = new LoopPlayer(this.frame.element, {
      images: () => this.session?.images ?? [], index: () => this.index, go: (index) => void this.go(index), show: (index) => this.#turn(index), playing: () => this.#say('playing'),
    });
    this.#wheel = new Wheel(this.frame.element, around.scrolls, (by) => void this.go(this.index + by));
  }

  /** Hears of every change until the function that is returned is called. */
  on(listener: (what: Happening) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The picture on the screen; null until the first image is drawn. */
  get live(): Stack | null {
    return this.facts.state === 'shown' ? this.#live : null;
  }

  /** The image in view; none where its place says why it cannot be shown. */
  get image(): StackImage | undefined {
    return this.session?.frames?.states[this.index] === 'failed' ? undefined : this.session?.images[this.index];
  }

  /** Puts a series of a study in. Another patient's study is never put beside this one's. */
  open(source: Source, series: OutlineSeries): void {
    if (source.request.patient !== this.around.patient || source.request.launch !== this.around.launch) throw new ViewerFault('mismatch', 'The study belongs to another patient, so it was not shown.', 'Open the Images tab again from the patient\u2019s chart.', null, 0);
    this.#empty();
    [this.source, this.series] = [source, series];
    const { outline, request } = source;
    this.remark = `Series ${outline.series.indexOf(series) + 1} of ${outline.series.length}`;
    this.facts = { ...NOTHING, state: series.kind === 'document' ? 'document' : 'loading' };
    this.#corners(null);
    if (!isDrawable(series)) { // a paper is opened by those who listen
      if (series.kind === 'document') this.frame.curtain({ title: series.word || 'This series has no pictures', detail: series.sentence ?? 'This kind of object cannot be drawn here.' });
      this.#say('series');
      return;
    }
    this.frame.waiting('Loading');
    const session = new SeriesSession({ base: outline.dicomweb, study: outline.study.uid, series: series.uid }, request.patient, series.count, {
      ready: (each) => this.#current(each, () => this.#ready(each)),
      picture: (canvas) => this.#current(session, () => { this.#picture(canvas); if (canvas) this.#say('picture'); }),
      drawn: (each) => this.#current(each, () => this.#drawn()),
      progress: (each) => this.#current(each, () => { this.#whole(each); this.#soon(); }),
      settled: (each) => this.#current(each, () => this.#settled(each)),
      ended: (fault) => this.around.ended(fault),
    }, this.around.cells);
    this.session = session;
    this.#say('series');
    session.open(() => this.#startStack(session), source.early?.(series) ?? null).catch((error: unknown) => this.#current(session, () => this.#broken(error)));
  }

  /** Takes the series out; what stands in its place says `why`. */
  close(why: { title: string; detail?: string } | null = null): void {
    this.#empty();
    [this.source, this.series, this.facts, this.remark] = [null, null, NOTHING, ''];
    this.frame.corners({ top: [], topRight: [], bottom: [], bottomRight: [] });
    this.frame.curtain(why);
    this.#say('closed');
  }

  #empty(): void {
    if (this.series) this.#say('leaving');
    this.cine.clear();
    this.session?.close();
    this.session = null;
    this.fault = null;
    this.index = 0;
    this.presets = [];
    this.layers.clear();
    this.frame.curtain(null);
    this.frame.waiting(null);
    this.frame.edges(null);
    this.frame.scroll(0, 0, '');
    this.frame.parts([]);
    this.#live?.clear();
    this.#live?.element.classList.add('v-off');
    this.#picture(null);
  }

  #current(session: SeriesSession, act: () => void): void {
    if (!this.#gone && this.session === session) act();
  }

  #ready(session: SeriesSession): void {
    const image = session.images[0];
    if (!image) return;
    this.presets = image.samples === 1 ? presetsFor(image.modality, image.windows) : [];
    this.#corners(null);
    this.#progress();
    this.#say('ready');
  }

  // Cornerstone is fetched after the first picture is on the screen: its start would hold the picture up.
  async #startStack(session: SeriesSession): Promise<Stack> {
    this.#stack ??= painted().then(() => session.room(PATIENCE_MS)).then(() => import('./stack')).then(({ Stack: Made }) => {
      const stack = new Made(this.frame.pixels, this.id, () => this.refresh());
      if (this.#gone) stack.destroy();
      this.#live = stack;
      return stack;
    });
    return this.#stack;
  }

  #drawn(): void {
    this.#live?.element.classList.remove('v-off');
    this.#picture(null);
    this.frame.waiting(null);
    this.index = this.session?.index ?? 0;
    this.facts = { ...this.facts, state: 'shown' };
    const first = this.session?.images[0];
    const rate = first?.timing?.given ? rateOf(first.timing) : first?.frameRate;
    if (rate && (this.session?.images.length ?? 0) > 1) this.remark = `${Math.round(rate)} frames a second`;
    this.refresh();
    this.#say('shown');
    if (this.session?.frames?.states[0] === 'failed') void this.go(0);
    else if (this.#live?.shown?.index !== this.index) void this.go(this.index); // scrolled to while it was put up
    this.cine.opened();
  }

  #settled(session: SeriesSession): void {
    if (this.facts.state !== 'shown') { // not one image of the series could be drawn
      this.frame.waiting(null);
      this.#picture(null);
      this.#cover(this.index);
      this.facts = { ...this.facts, state: 'error' };
    }
    this.#progress();
    this.#whole(session);
  }

  // Every image is decoded and can be scrolled to.
  #whole(session: SeriesSession): void {
    if (this.#told === session || session.frames?.ready.size !== session.images.length || !this.frame.pixels.childElementCount) return;
    this.#told = session;
    this.#say('whole');
  }

  #broken(error: unknown): void {
    if (isAbort(error)) return;
    this.session?.close(); // what is still on its way is of no use without the rest
    const fault = error instanceof ViewerFault ? error : new ViewerFault('viewer', 'This series could not be shown.', 'Try again, or open another series.', null, 0);
    if (fault.ended) { this.around.ended(fault); return; }
    this.tell(fault);
  }

  /** What is in it is read, not looked at: a paper lies over the viewport. */
  reads(state: 'paper'): void {
    this.facts = { ...this.facts, state };
    this.#say('ready');
  }

  /** Says in the picture's place what went wrong. */
  tell(fault: ViewerFault): void {
    this.#picture(null);
    this.frame.waiting(null);
    this.frame.curtain({ title: fault.title, detail: fault.action });
    this.fault = fault;
    this.facts = { ...this.facts, state: 'error' };
    this.#say('failed');
  }

  #picture(canvas: HTMLCanvasElement | null): void {
    this.frame.pixels.querySelectorAll('.v-picture').forEach((old) => old.remove());
    if (canvas) { this.frame.pixels.append(canvas); this.frame.waiting(null); }
  }

  /** Shows one image of the stack, or says in its place why it cannot be shown. */
  async go(wanted: number): Promise<void> {
    const { session } = this;
    const frames = session?.frames;
    if (!session || !frames) return;
    const index = Math.min(session.images.length - 1, Math.max(0, wanted));
    this.index = session.index = index;
    this.#scrollbar();
    this.cine.look();
    this.#say('image');
    if (frames.states[index] === 'failed') { this.#cover(index); return; }
    const stack = this.live;
    if (!stack) { await this.#paint(session, frames, index); return; }
    const slow = window.setTimeout(() => { if (this.index === index) this.frame.waiting(`Image ${index + 1}`); }, 120);
    try {
      await stack.show(index);
    } catch (error) {
      if (isAbort(error) || this.session !== session) return;
      if (error instanceof ViewerFault && error.ended) { this.around.ended(error); return; }
      if (this.index === index) this.#cover(index);
      return;
    } finally {
      window.clearTimeout(slow);
      if (this.index === index) this.frame.waiting(null);
    }
    if (this.index !== index || this.session !== session) return;
    this.frame.curtain(null);
    this.refresh();
  }

  // Until Cornerstone is there, images that need no decoder are painted as the first one was: the stack scrolls at once.
  async #paint(session: SeriesSession, frames: SeriesFrames, index: number): Promise<void> {
    const image = session.images[index];
    const waits = (): boolean => this.session === session && this.index === index && this.facts.state === 'loading';
    const frame = image && frames.states[index] === 'held' ? await frames.now(index).catch(() => null) : null;
    if (!image || !frame || !isPaintable(image, frame) || !waits()) return;
    const canvas = await firstPicture(image, frame, session.paths);
    if (!waits()) return;
    this.#picture(canvas);
    this.#corners(null);
  }

  #cover(index: number): void {
    const fault = this.session?.frames?.faults.get(index);
    this.frame.curtain({ title: 'This image could not be loaded', detail: [fault?.title, fault?.reference ? `Reference ${fault.reference}` : ''].filter(Boolean).join(' ') });
    this.frame.edges(null);
    this.layers.wipe();
    this.#corners(null);
  }

  // The next image of what is playing; one that was dropped to make room is brought back.
  async #turn(next: number): Promise<'shown' | 'waits' | 'broken'> {
    const state = this.session?.frames?.states[next];
    if (state === 'failed') return 'broken';
    if (!this.live) return 'waits';
    if (state !== 'drawn') { await this.live.prepare(next).catch(() => undefined); return 'waits'; }
    await this.go(next);
    return this.index === next ? 'shown' : 'waits';
  }

  play(): void {
    this.cine.toggle();
  }

  window(window: Window | null): void {
    this.live?.window(window && !Number.isNaN(window.width) ? window : null);
    this.refresh();
  }

  /** Hides the words and lines over the picture, or shows them again. */
  bare(bare: boolean): void {
    this.frame.overlays(!bare);
    this.layers.bare(bare);
  }

  async retry(): Promise<void> {
    const { session, series, source } = this;
    if (this.fault && series && source) { this.open(source, series); return; }
    await session?.retry();
    await this.go(this.index);
  }

  // Hundreds of images arrive: their number is read by a person, not by the frame.
  #soon(): void {
    this.#later ||= window.setTimeout(() => { this.#later = 0; this.refresh(); }, PROGRESS_MS);
  }

  /** Many things change in one frame of the screen; the words are written once for it. */
  refresh(): void {
    if (this.#queued || this.#gone) return;
    this.#queued = requestAnimationFrame(() => { this.#queued = 0; if (!this.#gone) this.#refresh(); });
  }

  #refresh(): void {
    this.#progress();
    const stack = this.live;
    const shown = stack?.shown ?? null;
    this.#corners(shown);
    const image = shown ? this.session?.images[shown.index] : undefined;
    const hidden = this.session?.frames?.states[this.index] === 'failed';
    this.frame.edges(shown && image && !hidden ? edgeLetters(image, shown.right, shown.down) : null);
    if (stack && image && !hidden) this.layers.draw(image, (world) => stack.viewport.worldToCanvas(world) as [number, number]);
    this.#say('moved');
  }

  #corners(shown: Shown | null): void {
    const { series, source } = this;
    if (!series || !source) return;
    const hidden = this.session?.frames?.states[this.index] === 'failed';
    this.frame.corners(cornersOf(source.outline, series, this.session, hidden ? this.index : (shown?.index ?? this.index), hidden ? null : shown));
  }

  #scrollbar(): void {
    const total = this.session?.images.length ?? 0;
    this.frame.scroll(this.index, total, `Image ${this.index + 1} of ${total}`);
  }

  #progress(): void {
    const { session } = this;
    const frames = session?.frames;
    if (!session || !frames || this.fault) return;
    this.#scrollbar();
    this.frame.parts(frames.states.map((state) => (state === 'failed' ? false : state === 'wanted' ? null : true)));
    const [loaded, failed] = [frames.count('drawn') + frames.count('held'), frames.count('failed')];
    this.facts = { ...this.facts, loaded, total: session.images.length, failed, withheld: session.withheld, settled: session.settled ? 1 : 0 };
    this.#say('progress');
  }

  #say(what: Happening): void {
    if (!this.#gone) for (const listener of [...this.#listeners]) listener(what);
  }

  /** Removes pixels, words and marks. */
  destroy(): void {
    this.#gone = true;
    cancelAnimationFrame(this.#queued);
    window.clearTimeout(this.#later);
    this.cine.stop();
    this.#wheel.stop();
    this.session?.close();
    this.layers.clear();
    this.#live?.destroy();
    this.element.remove();
  }
}
