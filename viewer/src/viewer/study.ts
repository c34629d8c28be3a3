// The workspace of an open study: toolbar, viewports, strip of series and status line, joined. Commands go to the viewport
// in use. Each part's own work (fetching, decoding, dragging, drawing controls) is done by that part.
import type { Ahead } from './ahead';
import { Cell, type Happening, type Source } from './cell';
import { Beside } from './beside';
import { singleLetters } from './choices';
import type { Comparison } from './compare';
import { Grid, type Layout } from './grid';
import { type Command, commandOf } from './keys';
import type { Links } from './links';
import type { Marks } from './marks/marks';
import { mark } from './moments';
import type { Candidate } from './older';
import { type Outline, type OutlineSeries, type Request, firstSeries, isDrawable } from './outline';
import { PaperCells, isOfPaper } from './papers/cells';
import { statusFor, together } from './statuses';
import { Toolbox } from './toolbox';
import { ViewerFault } from './transfer/gateway';
import { Caption } from './ui/caption';
import { h } from './ui/dom';
import { gaps, head } from './ui/head';
import { openHelp } from './ui/help';
import { LayoutButtons } from './ui/layouts';
import { SeriesStrip } from './ui/series';
import { StatusBar } from './ui/status';
import { DRAG_TOOLS, type DragTool, Toolbar } from './ui/toolbar';
import { VolumeDoor } from './volume/door';
import { type Preset, presetOf } from './windows';

interface Doors { close: () => void; ended: (fault: ViewerFault) => void }

const LAYOUTS: Partial<Record<Command, Layout>> = { layout1: '1x1', layout2: '1x2', layout4: '2x2' };
const STEPS: Partial<Record<Command, number>> = { next: 1, previous: -1, next10: 10, previous10: -10, first: -Infinity, last: Infinity };

export class StudyView {
  readonly #root: HTMLElement;
  readonly #toolbar: Toolbar;
  readonly #strip: SeriesStrip;
  readonly #status: StatusBar;
  readonly #toolbox: Toolbox;
  readonly #grid: Grid;
  readonly #papers = new PaperCells();
  readonly #volumes: VolumeDoor;
  readonly #sources: Source[];
  #marks: Marks | null = null;
  readonly #beside: Beside;
  readonly #layouts = new LayoutButtons((command) => this.run(command));
  readonly #captions = new Map<Cell, Caption>();
  #links: Links | null = null;
  #comparison: Comparison | null = null;
  #overlays = true;
  #gone = false;

  constructor(private readonly pane: HTMLElement, request: Request, outline: Outline, ahead: Pick<Ahead, 'early'>, private readonly doors: Doors,
    private readonly others: () => readonly Candidate[] = () => []) {
    this.#sources = [{ request, outline, early: (series) => ahead.early(series) }];
    this.#toolbar = new Toolbar({
      command: (command) => this.run(command), preset: (preset: Preset) => this.#cell.window(preset), window: (window) => this.#cell.window(window),
    });
    this.#toolbox = new Toolbox(this.#toolbar, () => this.#cell, () => this.#grid.cells);
    this.#grid = new Grid(() => new Cell({
      patient: request.patient, launch: request.launch, scrolls: () => this.#toolbox.active === 'scroll', cells: () => this.#grid.cells.length, ended: (fault) => doors.ended(fault),
    }), {
      made: (cell) => this.#made(cell), going: (cell) => this.#going(cell), used: (cell) => this.#look(cell),
    });
    this.#volumes = new VolumeDoor(this.#toolbar, () => this.#cell);
    this.#strip = new SeriesStrip((series) => this.#put(series));
    this.#strip.add(outline.series);
    this.#status = new StatusBar(outline.notForDiagnosis);
    this.#root = h('section', 'v-root', { 'aria-label': `Images: ${outline.study.title}` }, head(outline, () => this.doors.close(), () => this.#root.classList.toggle('v-wide'), this.#layouts.element), gaps(outline),
      this.#toolbar.element, this.#grid.element, outline.series.length > 0 ? this.#strip.element : null, this.#status.element);
    this.#beside = new Beside(this.#root, request);
    this.#root.addEventListener('keydown', (event) => this.#key(event));
    // Over the picture our keys come before Cornerstone's own listeners, which swallow some of them.
    this.#grid.element.addEventListener('keydown', (event) => { if (!this.#volumes.owns(event.target)) this.#key(event); }, { capture: true });
  }

  get #cell(): Cell {
    return this.#grid.active;
  }

  /** Puts the controls up and opens the first series. */
  begin(): void {
    this.#grid.lay('1x1');
    this.pane.replaceChildren(this.#root);
    this.#toolbar.tool(this.#toolbox.active);
    this.#toolbar.press('overlays', true);
    const outline = this.#sources[0]?.outline;
    const first = outline && firstSeries(outline.series);
    if (first) this.#put(first);
    else this.#cell.tell(new ViewerFault('empty', `${outline?.study.hospital || 'The archive'} lists no images of this study.`, 'Ask them if you expected some.', null, 0));
  }

  #put(series: OutlineSeries, cell = this.#cell): void {
    const source = this.#sources.find((each) => each.outline.series.includes(series));
    if (source) cell.open(source, series);
  }

  /** Puts another study of this patient beside the current one. */
  async compare(request: Request): Promise<void> {
    const comparison = await this.#comparing();
    if (this.#gone) return;
    if (this.#grid.layout === '1x1') this.#grid.lay('1x2');
    this.#laid();
    await comparison.open(request);
  }

  // Nothing of this is needed for the first image: it comes when a second viewport does.
  async #comparing(): Promise<Comparison> {
    const [{ Comparison: Made }, { Links: Linked }] = await Promise.all([import('./compare'), import('./links')]);
    this.#links ??= new Linked(() => this.#grid.cells, () => this.#cell, () => this.#tell());
    this.#comparison ??= new Made(this.#grid, this.#sources, this.others, {
      added: (source) => this.#added(source), put: (source, series, cell) => cell.open(source, series), ended: (fault) => this.doors.ended(fault),
    });
    return this.#comparison;
  }

  #added(source: Source): void {
    const { study, series } = source.outline;
    const role = this.#role(source);
    this.#sources.push(source);
    this.#strip.add(series, role);
    const said = gaps(source.outline, `${role}, ${study.date}, ${study.hospital}:`);
    if (said) this.#toolbar.element.before(said);
  }

  #role(source: Source): string {
    const current = this.#sources[0];
    return source === current ? 'Current' : current?.outline.study.on && source.outline.study.on > current.outline.study.on ? 'Later' : 'Prior';
  }

  #lay(layout: Layout): void {
    this.#grid.lay(layout);
    this.#laid();
    if (layout === '1x1' || this.#gone) return;
    void this.#comparing().then(() => this.#tell());
    void import('./hanging').then(({ protocolFor, hang }) => this.#fill((source) => {
      const hung = { title: source.outline.study.title, series: source.outline.series };
      const protocol = protocolFor(hung, null);
      return protocol?.layout === layout ? hang(protocol, hung, null) : [];
    }));
  }

  // Empty viewports get what the protocol hangs there, else the series that follow; what a person chose stays.
  #fill(hung: (source: Source) => (OutlineSeries | null)[]): void {
    const source = this.#cell.source ?? this.#sources[0];
    if (!source || this.#gone) return;
    const shown = new Set(this.#grid.cells.map((cell) => cell.series));
    const next = [...hung(source), ...source.outline.series.filter(isDrawable)].filter((series) => series && !shown.has(series));
    for (const cell of this.#grid.cells.filter((each) => !each.series)) {
      const series = next.shift();
      if (series) cell.open(source, series);
      else cell.close({ title: 'No other series', detail: 'Choose one below.' });
      while (next[0] === series && series) next.shift();
    }
  }

  #laid(): void {
    const { layout, cells } = this.#grid;
    this.#layouts.laid(layout);
    for (const caption of this.#captions.values()) caption.element.hidden = layout === '1x1';
    for (const cell of cells) this.#caption(cell);
    this.#tell();
  }

  #caption(cell: Cell): void {
    const { source, series } = cell;
    this.#captions.get(cell)?.show(source && { role: this.#role(source), date: source.outline.study.date, hospital: source.outline.study.hospital, series: source.outline.series, current: series });
    const several = this.#grid.cells.length > 1;
    cell.frame.element.setAttribute('aria-label', several && source ? `${this.#role(source)}, ${source.outline.study.date}, ${source.outline.study.hospital}: ${series?.description ?? ''}` : several ? 'Empty viewport' : 'Image');
  }

  async #older(): Promise<void> {
    const comparison = await this.#comparing();
    const next = comparison.older();
    if (next) await this.compare(next);
    else this.#cell.frame.note('The list holds no older study');
  }

  #going(cell: Cell): void {
    this.#papers.leave(cell);
    this.#volumes.leave(cell);
    if (cell.live) this.#toolbox.leave(cell.live);
    this.#links?.heard(cell, 'leaving');
    this.#captions.delete(cell);
  }

  #made(cell: Cell): void {
    this.#toolbox.watch(cell);
    this.#papers.watch(cell, this.doors.ended);
    const caption = new Caption((series) => this.#put(series, cell));
    this.#captions.set(cell, caption);
    cell.element.prepend(caption.element);
    caption.element.hidden = this.#grid.layout === '1x1';
    cell.element.addEventListener('dragover', (event) => { if (this.#strip.dragged) event.preventDefault(); });
    cell.element.addEventListener('drop', (event) => {
      const series = this.#strip.dragged;
      if (!series) return;
      event.preventDefault();
      this.#grid.use(cell);
      this.#put(series, cell);
    });
    cell.bare(!this.#overlays);
    cell.on((what) => this.#heard(cell, what));
  }

  #heard(cell: Cell, what: Happening): void {
    const used = cell === this.#cell;
    this.#links?.heard(cell, what);
    if (what === 'series' || what === 'closed') this.#caption(cell);
    this.#volumes.heard(cell, what);
    if (what === 'leaving' && cell.live) { this.#marks?.gather(); this.#toolbox.removeAll(cell.live); }
    if (what === 'shown' && cell.live) void this.#toolbox.start(cell.live).then((on) => { if (on && !this.#gone) { this.pane.dataset.tools = 'ready'; void this.#marked(cell); } });
    if (what === 'progress' && cell.series) this.#strip.progress(cell.series, cell.facts.loaded, cell.facts.total, cell.facts.settled === 0);
    if (used) this.#shows(cell, what);
    if (['series', 'ready', 'shown', 'progress', 'failed', 'closed'].includes(what)) this.#tell();
  }

  // The controls say how things stand in the viewport in use, and so does the pane.
  #shows(cell: Cell, what: Happening): void {
    if (what === 'leaving') return;
    if (what === 'picture') mark('priors:first-picture');
    else if (what === 'shown') { mark('priors:first-image'); this.#beside.ready(); }
    else if (what === 'whole') mark('priors:all-images');
    else if (what === 'playing') this.#toolbar.playing(cell.cine.playing, cell.cine.playing ? 'Stop' : 'Play');
    else if (what === 'image') this.#toolbox.glance();
    else if (what === 'moved') this.#picture(cell);
    if (what === 'series' || what === 'closed') {
      this.#toolbar.closeMenus();
      this.#strip.current(cell.series);
    }
    if (what === 'ready') this.#controls(cell);
    this.#toolbar.side(cell.remark);
    for (const [key, value] of Object.entries(cell.facts)) this.pane.dataset[key] = String(value);
  }

  #look(cell: Cell): void {
    this.#toolbar.closeMenus();
    this.#strip.current(cell.series);
    if (this.#grid.cells.length > 1 || cell.series) this.#controls(cell);
    this.#toolbar.playing(cell.cine.playing, cell.cine.playing ? 'Stop' : 'Play');
    this.#toolbar.side(cell.remark);
    for (const [key, value] of Object.entries(cell.facts)) this.pane.dataset[key] = String(value);
    this.#picture(cell);
  }

  #controls(cell: Cell): void {
    this.#toolbar.presets(cell.presets, true);
    this.#toolbar.allow('play', (cell.session?.images.length ?? 0) > 1, 'One image: nothing to play');
    this.#toolbox.look();
    void this.#volumes.look(cell);
  }

  #picture(cell: Cell): void {
    const shown = cell.live?.shown;
    if (!shown) return;
    this.#toolbar.press('invert', shown.inverted);
    this.#toolbar.window(shown.window, (shown.window && presetOf(cell.presets, shown.window)?.name) || 'Own window');
  }

  #tell(): void {
    const lines = this.#grid.cells.flatMap((cell) => {
      const line = statusFor(cell, { go: (index) => { void cell.go(index); cell.frame.element.focus(); }, again: () => void cell.retry() });
      return line ? [{ name: this.#named(cell), line }] : [];
    });
    this.#layouts.linked(this.#links?.on ?? true);
    if (lines.length === 0) return;
    const line = together(lines);
    const linked = this.#grid.layout === '1x1' ? '' : (this.#links?.words ?? '');
    this.#status.show(linked ? { ...line, text: `${line.text} \u00b7 ${linked}` } : line);
  }

  #named(cell: Cell): string {
    const role = cell.source ? this.#role(cell.source) : 'Prior';
    const same = this.#grid.cells.filter((each) => each.source === cell.source);
    return same.length > 1 ? `${role} ${same.indexOf(cell) + 1}` : role;
  }

  run(command: Command): void {
    const cell = this.#cell;
    const stack = cell.live;
    if ((DRAG_TOOLS as readonly string[]).includes(command)) {
      this.#toolbox.use(command as DragTool);
      this.#volumes.use(this.#toolbox.active);
      this.#marks?.tool(this.#toolbox.active);
      return;
    }
    if (this.#volumes.run(cell, command)) return;
    const step = STEPS[command];
    if (step !== undefined) { cell.cine.stop(); void cell.go(cell.index + step); return; }
    const layout = LAYOUTS[command];
    if (layout) { this.#lay(layout); return; }
    const preset = /^preset(\d)$/.exec(command)?.[1];
    if (preset) { const found = this.#toolbar.preset(Number(preset)); if (found) cell.window(found); return; }
    switch (command) {
      case 'invert': stack?.invert(); break;
      case 'rotate': stack?.rotate(); break;
      case 'flip': stack?.flip(); break;
      case 'fit': stack?.fit(); break;
      case 'reset': stack?.reset(); break;
      case 'play': cell.play(); break;
      case 'delete': this.#toolbox.removeMark(); this.#marks?.gather(); break;
      case 'marks': this.#marks?.toggle(); break;
      case 'overlays': this.#bare(); break;
      case 'nextSeries': case 'previousSeries': this.#step(command === 'nextSeries' ? 1 : -1); break;
      case 'report': this.#beside.toggle(); break;
      case 'link': void this.#comparing().then(() => this.#links?.turn()); break;
      case 'swap': if (this.#grid.swap()) { this.#laid(); cell.frame.element.focus(); } break;
      case 'older': void this.#older(); break;
      case 'help': openHelp(this.#root, singleLetters.on, (on) => { singleLetters.on = on; }); break;
      case 'close': this.doors.close(); break;
    }
    cell.refresh();
  }

  // Nothing of the marks is loaded before the first image is there.
  async #marked(cell: Cell): Promise<void> {
    const { Marks: Made } = await import('./marks/marks');
    if (this.#gone) return;
    this.#marks ??= new Made({
      root: this.#root, cells: () => this.#grid.cells, inUse: () => this.#cell, use: (tool) => this.run(tool), shown: (on) => this.#toolbar.press('marks', on),
    });
    await this.#marks.shown(cell);
    if (!this.#gone) this.pane.dataset.marks = 'ready';
  }

  #bare(): void {
    this.#overlays = !this.#overlays;
    for (const cell of this.#grid.cells) cell.bare(!this.#overlays);
    this.#volumes.bare(!this.#overlays);
    this.#toolbar.press('overlays', this.#overlays);
  }

  #step(by: number): void {
    const { series, source } = this.#cell;
    const all = source?.outline.series ?? [];
    const next = series ? all[all.indexOf(series) + by] : undefined;
    if (next) this.#put(next);
  }

  #key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (event.defaultPrevented || target.matches('input, select, textarea') || isOfPaper(event)) return;
    const next = event.key === 'Tab' && !event.shiftKey && !event.ctrlKey && !event.altKey && target === this.#cell.frame.element ? this.#grid.after(this.#cell) : undefined;
    if (next) { event.preventDefault(); next.frame.element.focus(); return; }
    if (event.shiftKey && this.#toolbox.moveEnd(event.key)) { event.preventDefault(); return; }
    const command = commandOf(event, singleLetters.on);
    if (!command) return;
    if (command === 'play' && target.matches('button')) return; // Space presses the button it stands on
    event.preventDefault();
    event.stopPropagation();
    this.run(command);
  }

  /** Removes pixels, words and marks. The pane can be used for another study afterwards. */
  destroy(): void {
    this.#gone = true;
    this.#papers.destroy();
    this.#volumes.close();
    this.#marks?.destroy();
    this.#beside.destroy();
    this.#comparison?.stop();
    this.#toolbox.destroy();
    this.#grid.destroy();
    this.#root.remove();
  }
}
