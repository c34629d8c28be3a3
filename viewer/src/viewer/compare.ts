// Studies beside each other: fetches the other study's outline under its own check, hangs both, and finds the next older
// one. Loaded when it is first asked for. What it opens is always this launch's patient: each answer says whose it is.
import type { Cell, Source } from './cell';
import type { Grid } from './grid';
import { type Hung, hang, protocolFor } from './hanging';
import { type Candidate, nextOlder } from './older';
import { type OutlineSeries, type Request, fetchOutline } from './outline';
import { ViewerFault, isAbort } from './transfer/gateway';

interface Hooks { added: (source: Source) => void; put: (source: Source, series: OutlineSeries, cell: Cell) => void; ended: (fault: ViewerFault) => void }

export class Comparison {
  readonly #abort = new AbortController();
  #asked = 0;
  /** The study that was asked for last to stand beside the current one. */
  beside: Request | null = null;

  constructor(private readonly grid: Grid, private readonly sources: readonly Source[], private readonly others: () => readonly Candidate[], private readonly hooks: Hooks) {}

  /** Puts a study beside the current one, in a layout that has room for both. Faults are said in its place. */
  async open(request: Request): Promise<void> {
    const [current] = this.sources;
    if (!current) return;
    const mine = (this.#asked += 1);
    this.beside = request;
    const [first, cell] = this.#places();
    cell.close();
    cell.frame.waiting('Opening the prior');
    try {
      const source = await this.#source(request);
      await opened(first); // the study that was opened has the line and the cores to itself until it shows something
      if (mine !== this.#asked || !this.grid.cells.includes(cell)) return;
      this.#hang(current, source, first, cell);
    } catch (error) {
      if (isAbort(error) || mine !== this.#asked || !this.grid.cells.includes(cell)) return;
      const fault = error instanceof ViewerFault ? error : new ViewerFault('viewer', 'The prior could not be opened.', 'Choose it again in the list.', null, 0);
      if (fault.ended) this.hooks.ended(fault);
      else cell.tell(fault);
    }
  }

  #places(): [Cell, Cell] {
    const { cells, active } = this.grid;
    const current = cells.find((cell) => cell.source === this.sources[0]) ?? cells.find((cell) => cell !== active) ?? active;
    return [current, cells.find((cell) => cell !== current && cell.source !== this.sources[0]) ?? (cells.find((cell) => cell !== current) as Cell)];
  }

  async #source(request: Request): Promise<Source> {
    const known = this.sources.find((each) => each.request.archive === request.archive && each.request.study === request.study);
    if (known) return known;
    const source = { request, outline: await fetchOutline(request, this.#abort.signal) };
    this.hooks.added(source);
    return source;
  }

  // The series in view stays where a person chose it; the other side gets its counterpart.
  #hang(current: Source, prior: Source, first: Cell, cell: Cell): void {
    const [now, then]: [Hung, Hung] = [hung(current), hung(prior)];
    const protocol = protocolFor(now, then);
    const [mine, theirs] = protocol ? hang(protocol, now, then) : [null, prior.outline.series[0] ?? null];
    if (mine && first.series === null) this.hooks.put(current, mine, first);
    const like = theirs && first.series ? (prior.outline.series.find((each) => each.kind === 'images' && each.modality === first.series?.modality && alike(each, first.series)) ?? theirs) : theirs;
    if (like) this.hooks.put(prior, like, cell);
    else cell.tell(new ViewerFault('empty', `${prior.outline.study.hospital || 'The archive'} lists no images of this study.`, 'Ask them if you expected some.', null, 0));
  }

  /** The next older study; null when the list holds none. */
  older(): Candidate | null {
    const request = this.sources[0]?.request;
    return request ? nextOlder(this.others(), request, this.beside) : null;
  }

  stop(): void {
    this.#abort.abort();
  }
}

function hung({ outline }: Source): Hung {
  return { title: outline.study.title, series: outline.series };
}

const KERNELS = /lung|bone|brain|soft|mediast|liver|angio/i;

function alike(a: OutlineSeries, b: OutlineSeries): boolean {
  const [word] = KERNELS.exec(b.description) ?? [];
  return word !== undefined && a.description.toLowerCase().includes(word.toLowerCase());
}

function opened(cell: Cell): Promise<void> {
  const done = (): boolean => cell.facts.state !== 'loading' || cell.session?.frames != null;
  return new Promise((resolve) => {
    if (done()) { resolve(); return; }
    const stop = cell.on((what) => { if (['picture', 'shown', 'failed', 'closed', 'ready'].includes(what)) { stop(); resolve(); } });
  });
}
