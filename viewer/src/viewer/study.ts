// One open study: its controls, the series being looked at, and every word about it. Joins the parts; each part's own
// work (fetching, decoding, dragging, drawing controls) is done by that part.
import type { Ahead } from './ahead';
import { edgeLetters } from './dicom/orientation';
import { singleLetters } from './choices';
import { Cine } from './cine';
import { cornersOf } from './corners';
import { type Command, commandOf } from './keys';
import { type Outline, type OutlineSeries, type Request, firstSeries, isDrawable } from './outline';
import { mark, painted } from './moments';
import { firstPicture, isPaintable } from './picture';
import { SeriesSession } from './session';
import type { Shown, Stack } from './stack';
import { statusOf } from './statuses';
import { Toolbox } from './toolbox';
import type { SeriesFrames } from './transfer/frames';
import { ViewerFault, isAbort } from './transfer/gateway';
import { h } from './ui/dom';
import { gaps, head } from './ui/head';
import { openHelp } from './ui/help';
import { SeriesStrip } from './ui/series';
import { StatusBar } from './ui/status';
import { DRAG_TOOLS, type DragTool, Toolbar } from './ui/toolbar';
import { ViewportFrame } from './ui/viewport';
import { Wheel } from './wheel';
import { type Preset, type Window, presetOf, presetsFor } from './windows';

const PROGRESS_MS = 250;
const PATIENCE_MS = 1500;

interface Doors { close: () => void; ended: (fault: ViewerFault) => void }

export class StudyView {
  readonly #root: HTMLElement;
  readonly #toolbar: Toolbar;
  readonly #viewport: ViewportFrame;
  readonly #strip: SeriesStrip;
  readonly #status: StatusBar;
  readonly #wheel: Wheel;
  readonly #cine: Cine;
  readonly #toolbox: Toolbox;
  #stack: Promise<Stack> | null = null;
  #live: Stack | null = null;
  #session: SeriesSession | null = null;
  #series: OutlineSeries | null = null;
  #index = 0;
  #presets: Preset[] = [];
  #overlays = true;
  #queued = 0;
  #later = 0;
  #told: SeriesSession | null = null;
  #gone = false;

  constructor(private readonly pane: HTMLElement, private readonly request: Request, private readonly outline: Outline, private readonly ahead: Pick<Ahead, 'early'>, private readonly doors: Doors) {
    this.#toolbar = new Toolbar({
      command: (command) => this.run(command), preset: (preset: Preset) => this.#applyWindow(preset), window: (window) => this.#applyWindow(window),
    });
    this.#viewport = new ViewportFrame((index) => void this.go(index));
    this.#strip = new SeriesStrip(outline.series, (series) => this.openSeries(series));
    this.#status = new StatusBar(outline.notForDiagnosis);
    this.#root = h('section', 'v-root', { 'aria-label': `Images: ${outline.study.title}` }, head(outline, () => this.doors.close(), () => this.#root.classList.toggle('v-wide')), gaps(outline),
      this.#toolbar.element,
      this.#viewport.element, outline.series.length > 0 ? this.#strip.element : null, this.#status.element);
    this.#root.addEventListener('keydown', (event) => this.#key(event));
    // Over the picture our keys come before Cornerstone's own listeners, which swallow some of them.
    this.#viewport.element.addEventListener('keydown', (event) => this.#key(event), { capture: true });
    this.#cine = new Cine(() => this.#advance(), (playing) => this.#toolbar.playing(playing, playing ? 'Stop' : 'Play'));
    this.#wheel = new Wheel(this.#viewport.element, () => this.#toolbox.active === 'scroll', (by) => void this.go(this.#index + by));
    this.#toolbox = new Toolbox(this.#toolbar, this.#viewport, () => this.#session?.images[this.#index]);
  }

  /** Puts the controls up and opens the first series. */
  begin(): void {
    this.pane.replaceChildren(this.#root);
    this.#toolbar.tool(this.#toolbox.active);
    this.#toolbar.press('overlays', true);
    const first = firstSeries(this.outline.series);
    if (first) this.openSeries(first);
    else this.#tell(new ViewerFault('empty', `${this.outline.study.hospital || 'The archive'} lists no images of this study.`, 'Ask them if you expected some.', null, 0));
  }

  openSeries(series: OutlineSeries): void {
    this.#cine.stop();
    this.#session?.close();
    this.#session = null;
    this.#series = series;
    this.#index = 0;
    this.#strip.current(series.uid);
    this.#viewport.curtain(null);
    this.#viewport.waiting(null);
    this.#viewport.edges(null);
    this.#viewport.scroll(0, 0, '');
    this.#viewport.parts([]);
    this.#toolbar.closeMenus();
    this.#live?.clear();
    this.#toolbox.removeAll();
    this.#live?.element.classList.add('v-off');
    this.#picture(null);
    this.#data({ state: 'loading', loaded: 0, total: 0, failed: 0, withheld: 0, settled: 0 });
    const at = this.outline.series.indexOf(series) + 1;
    this.#toolbar.side(`Series ${at} of ${this.outline.series.length}`);
    this.#corners(null);
    if (!isDrawable(series)) { this.#document(series); return; }
    this.#viewport.waiting('Loading');
    this.#status.show({ tone: 'busy', text: 'Asking for the images' });
    const session = new SeriesSession({ base: this.outline.dicomweb, study: this.outline.study.uid, series: series.uid }, this.request.patient, series.count, {
      ready: (each) => this.#current(each, () => this.#ready(each)),
      picture: (canvas) => this.#current(session, () => { this.#picture(canvas); if (canvas) mark('priors:first-picture'); }),
      drawn: (each) => this.#current(each, () => this.#drawn()),
      progress: (each) => this.#current(each, () => { this.#whole(each); this.#soon(); }),
      settled: (each) => this.#current(each, () => this.#settled(each)),
      ended: (fault) => this.doors.ended(fault),
    });
    this.#session = session;
    session.open(() => this.#startStack(session), this.ahead.early(series)).catch((error: unknown) => this.#current(session, () => this.#broken(error)));
  }

  #current(session: SeriesSession, act: () => void): void {
    if (!this.#gone && this.#session === session) act();
  }

  #document(series: OutlineSeries): void {
    this.#viewport.curtain({ title: series.word || 'This series has no pictures', detail: series.sentence ?? 'This kind of object cannot be drawn here.' });
    this.#status.show({ tone: 'ok', text: 'Listed, not drawn' });
    this.#data({ state: 'document', loaded: 0, total: 0, failed: 0, withheld: 0 });
  }

  #ready(session: SeriesSession): void {
    const image = session.images[0];
    if (!image) return;
    this.#presets = image.samples === 1 ? presetsFor(image.modality, image.windows) : [];
    this.#toolbar.presets(this.#presets, true);
    this.#toolbox.look();
    this.#toolbar.allow('play', session.images.length > 1, 'One image: nothing to play');
    this.#corners(null);
    this.#progress();
  }

  // Cornerstone is fetched after the first picture is on the screen: its start would hold the picture up.
  async #startStack(session: SeriesSession): Promise<Stack> {
    this.#stack ??= painted().then(() => session.room(PATIENCE_MS)).then(() => import('./stack')).then(({ Stack: Made }) => {
      const stack = new Made(this.#viewport.pixels, () => this.#queue());
      if (this.#gone) stack.destroy();
      this.#live = stack;
      return stack;
    });
    return this.#stack;
  }

  #drawn(): void {
    this.#live?.element.classList.remove('v-off');
    this.#picture(null);
    this.#viewport.waiting(null);
    this.#index = this.#session?.index ?? 0;
    mark('priors:first-image');
    this.#data({ state: 'shown' });
    this.#queue();
    if (this.#session?.frames?.states[0] === 'failed') void this.go(0);
    else if (this.#live?.shown?.index !== this.#index) void this.go(this.#index); // scrolled to while it was put up
    if (this.#live) void this.#toolbox.start(this.#live).then((on) => { if (on && !this.#gone) this.pane.dataset.tools = 'ready'; });
    const rate = this.#session?.images[0]?.frameRate;
    if (rate && (this.#session?.images.length ?? 0) > 1) this.#toolbar.side(`${Math.round(rate)} frames a second`);
  }

  #settled(session: SeriesSession): void {
    if (this.pane.dataset.state !== 'shown') { // not one image of the series could be drawn
      this.#viewport.waiting(null);
      this.#picture(null);
      this.#cover(this.#index);
      this.#data({ state: 'error' });
    }
    this.#progress();
    this.#whole(session);
  }

  // Every image is decoded and can be scrolled to.
  #whole(session: SeriesSession): void {
    if (this.#told === session || session.frames?.ready.size !== session.images.length || !this.#viewport.pixels.childElementCount) return;
    this.#told = session;
    mark('priors:all-images');
  }

  #broken(error: unknown): void {
    if (isAbort(error)) return;
    this.#session?.close(); // what is still on its way is of no use without the rest
    const fault = error instanceof ViewerFault ? error : new ViewerFault('viewer', 'This series could not be shown.', 'Try again, or open another series.', null, 0);
    if (fault.ended) { this.doors.ended(fault); return; }
    this.#tell(fault, this.#series);
  }

  #tell(fault: ViewerFault, series: OutlineSeries | null = null): void {
    this.#picture(null);
    this.#viewport.waiting(null);
    this.#viewport.curtain({ title: fault.title, detail: fault.action });
    const text = [fault.action, fault.reference ? `Reference ${fault.reference}` : ''].filter(Boolean).join(' ');
    this.#status.show({ tone: 'bad', strong: fault.title, text, actions: series ? [{ label: 'Try again', run: () => this.openSeries(series) }] : [] });
    this.#data({ state: 'error' });
  }

  #picture(canvas: HTMLCanvasElement | null): void {
    this.#viewport.pixels.querySelectorAll('.v-picture').forEach((old) => old.remove());
    if (canvas) { this.#viewport.pixels.append(canvas); this.#viewport.waiting(null); }
  }

  /** Shows one image of the stack, or says in its place why it cannot be shown. */
  async go(wanted: number): Promise<void> {
    const session = this.#session;
    const frames = session?.frames;
    if (!session || !frames) return;
    const index = Math.min(session.images.length - 1, Math.max(0, wanted));
    const earlier = this.#index;
    this.#index = session.index = index;
    this.#scrollbar();
    if (frames.states[index] === 'failed') { this.#cover(index); return; }
    if (!this.#live || this.pane.dataset.state !== 'shown') { await this.#paint(session, frames, index); return; }
    const slow = window.setTimeout(() => { if (this.#index === index) this.#viewport.waiting(`Image ${index + 1}`); }, 120);
    try {
      await this.#live.show(index);
    } catch (error) {
      if (isAbort(error) || this.#session !== session) return;
      if (error instanceof ViewerFault && error.ended) { this.doors.ended(error); return; }
      if (this.#index === index) this.#cover(index);
      return;
    } finally {
      window.clearTimeout(slow);
      if (this.#index === index) this.#viewport.waiting(null);
    }
    if (this.#index !== index || this.#session !== session) return;
    this.#viewport.curtain(null);
    if (Boolean(session.images[earlier]?.spacing) !== Boolean(session.images[index]?.spacing)) this.#toolbox.look();
    this.#queue();
  }

  // Until Cornerstone is there, images that need no decoder are painted as the first one was: the stack scrolls at once.
  async #paint(session: SeriesSession, frames: SeriesFrames, index: number): Promise<void> {
    const image = session.images[index];
    const waits = (): boolean => this.#session === session && this.#index === index && this.pane.dataset.state === 'loading';
    const frame = image && frames.states[index] === 'held' ? await frames.now(index).catch(() => null) : null;
    if (!image || !frame || !isPaintable(image, frame) || !waits()) return;
    const canvas = await firstPicture(image, frame, session.paths);
    if (!waits()) return;
    this.#picture(canvas);
    this.#corners(null);
  }

  #cover(index: number): void {
    const fault = this.#session?.frames?.faults.get(index);
    this.#viewport.curtain({ title: 'This image could not be loaded', detail: [fault?.title, fault?.reference ? `Reference ${fault.reference}` : ''].filter(Boolean).join(' ') });
    this.#viewport.edges(null);
    this.#corners(null);
  }

  async #advance(): Promise<void> {
    const session = this.#session;
    if (!session?.frames) return;
    const total = session.images.length;
    for (let step = 1; step <= total; step++) {
      const next = (this.#index + step) % total;
      const state = session.frames.states[next];
      if (state === 'failed') continue;
      if (state !== 'drawn') { await session.frames.now(next).catch(() => undefined); return; }
      await this.go(next);
      return;
    }
  }

  run(command: Command): void {
    const stack = this.pane.dataset.state === 'shown' ? this.#live : null;
    if ((DRAG_TOOLS as readonly string[]).includes(command)) { this.#toolbox.use(command as DragTool); return; }
    const steps: Partial<Record<Command, number>> = { next: 1, previous: -1, next10: 10, previous10: -10, first: -Infinity, last: Infinity };
    const step = steps[command];
    if (step !== undefined) { this.#cine.stop(); void this.go(this.#index + step); return; }
    const preset = /^preset(\d)$/.exec(command)?.[1];
    if (preset) { const found = this.#toolbar.preset(Number(preset)); if (found) this.#applyWindow(found); return; }
    switch (command) {
      case 'invert': stack?.invert(); break;
      case 'rotate': stack?.rotate(); break;
      case 'flip': stack?.flip(); break;
      case 'fit': stack?.fit(); break;
      case 'reset': stack?.reset(); break;
      case 'play': this.#play(); break;
      case 'delete': this.#toolbox.removeMark(); break;
      case 'overlays': this.#overlays = !this.#overlays; this.#viewport.overlays(this.#overlays); this.#toolbar.press('overlays', this.#overlays); break;
      case 'nextSeries': case 'previousSeries': this.#step(command === 'nextSeries' ? 1 : -1); break;
      case 'help': openHelp(this.#root, singleLetters.on, (on) => { singleLetters.on = on; }); break;
      case 'close': this.doors.close(); break;
    }
    this.#queue();
  }

  #play(): void {
    const session = this.#session;
    if (this.#cine.playing) this.#cine.stop();
    else if (session && session.images.length > 1) this.#cine.start(session.images[this.#index]?.frameRate ?? 10);
  }

  #step(by: number): void {
    const at = this.#series ? this.outline.series.indexOf(this.#series) : -1;
    const next = this.outline.series[at + by];
    if (next) this.openSeries(next);
  }

  #applyWindow(window: Window | null): void {
    if (this.pane.dataset.state !== 'shown') return;
    this.#live?.window(window && !Number.isNaN(window.width) ? window : null);
    this.#queue();
  }

  #key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (event.defaultPrevented || target.matches('input, select, textarea')) return;
    if (event.shiftKey && this.#toolbox.moveEnd(event.key, this.#live)) { event.preventDefault(); return; }
    const command = commandOf(event, singleLetters.on);
    if (!command) return;
    if (command === 'play' && target.matches('button')) return; // Space presses the button it stands on
    event.preventDefault();
    event.stopPropagation();
    this.run(command);
  }

  // Hundreds of images arrive: their number is read by a person, not by the frame.
  #soon(): void {
    this.#later ||= window.setTimeout(() => { this.#later = 0; this.#queue(); }, PROGRESS_MS);
  }

  // Many things change in one frame of the screen; the words are written once for it.
  #queue(): void {
    if (this.#queued || this.#gone) return;
    this.#queued = requestAnimationFrame(() => { this.#queued = 0; this.#refresh(); });
  }

  #refresh(): void {
    if (this.#gone) return;
    this.#progress();
    const shown = this.pane.dataset.state === 'shown' ? (this.#live?.shown ?? null) : null;
    this.#corners(shown);
    const image = shown ? this.#session?.images[shown.index] : undefined;
    const hidden = this.#session?.frames?.states[this.#index] === 'failed';
    this.#viewport.edges(shown && image && !hidden ? edgeLetters(image, shown.right, shown.down) : null);
    if (!shown) return;
    this.#toolbar.press('invert', shown.inverted);
    this.#toolbar.window(shown.window, (shown.window && presetOf(this.#presets, shown.window)?.name) || 'Own window');
  }

  #corners(shown: Shown | null): void {
    const series = this.#series;
    if (!series) return;
    const hidden = this.#session?.frames?.states[this.#index] === 'failed';
    this.#viewport.corners(cornersOf(this.outline, series, this.#session, hidden ? this.#index : (shown?.index ?? this.#index), hidden ? null : shown));
  }

  #scrollbar(): void {
    const total = this.#session?.images.length ?? 0;
    this.#viewport.scroll(this.#index, total, `Image ${this.#index + 1} of ${total}`);
  }

  #progress(): void {
    const session = this.#session;
    const frames = session?.frames;
    if (!session || !frames) return;
    this.#scrollbar();
    this.#viewport.parts(frames.states.map((state) => (state === 'failed' ? false : state === 'wanted' ? null : true)));
    const [loaded, failed] = [frames.count('drawn') + frames.count('held'), frames.count('failed')];
    this.#data({ loaded, total: session.images.length, failed, withheld: session.withheld, settled: session.settled ? 1 : 0 });
    this.#strip.progress(session.paths.series, loaded, session.images.length, !session.settled);
    this.#status.show(statusOf(session, this.outline.study.hospital, {
      go: (index) => { void this.go(index); this.#viewport.element.focus(); }, again: () => void session.retry().then(() => this.go(this.#index)),
    }));
  }

  #data(values: Record<string, string | number>): void {
    for (const [key, value] of Object.entries(values)) this.pane.dataset[key] = String(value);
  }

  /** Removes pixels, words and marks. The pane can be used for another study afterwards. */
  destroy(): void {
    this.#gone = true;
    cancelAnimationFrame(this.#queued);
    window.clearTimeout(this.#later);
    this.#cine.stop();
    this.#wheel.stop();
    this.#session?.close();
    this.#toolbox.destroy();
    this.#live?.destroy();
    this.#root.remove();
  }
}
