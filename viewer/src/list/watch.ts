// Asks the server, gently, whether something new has arrived: only while the tab is in view, and never counting as use of it.
import { type RowEvent, type StripEvent, type Whose, belongs } from './stream';

export interface News {
  readonly rows: readonly RowEvent[];
  readonly strip: StripEvent;
  /** Study -> when and how soon it was found. */
  readonly arrived: ReadonlyMap<string, string>;
}
export interface WatchOptions {
  readonly url: string;
  readonly seconds: number;
  readonly whose: Whose;
  /** The page itself is asking: what it hears is newer. */
  busy(): boolean;
  /** `news` only where something differs from what was heard last. */
  heard(news: News | null): void;
  /** Not checked since `at` (a clock time, or empty when it never was); null: all is well. */
  unchecked(at: string | null): void;
  ended(): void;
}
type Fetch = (url: string, init: RequestInit) => Promise<Response>;
const MOST = 4; // a server in trouble is asked at a quarter of the pace

export class Watch {
  readonly #options: WatchOptions;
  readonly #fetch: Fetch;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking: AbortController | undefined;
  #known = '';
  #failures = 0;
  #over = false;
  #lastStart = 0;
  /** When all watched sources were last looked at. */
  checked = '';

  constructor(options: WatchOptions, fetcher: Fetch = (url, init) => fetch(url, init)) {
    this.#options = options;
    this.#fetch = fetcher;
  }

  /** Begins once the list has been filled; does nothing when watching is off. */
  start(): void {
    if (this.#options.seconds <= 0 || this.#over || this.#timer) return;
    document.addEventListener('visibilitychange', this.#seen);
    this.#wait();
  }

  /** Something has just been done here that the list should show. */
  now(): void {
    if (!this.#over && this.#timer) this.#wait(0);
  }

  stop(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#asking?.abort();
    document.removeEventListener('visibilitychange', this.#seen);
  }

  readonly #seen = (): void => {
    if (this.#over) return;
    if (document.hidden) {
      this.#asking?.abort();
      clearTimeout(this.#timer);
    } else this.#wait(Math.max(0, this.#lastStart + this.#pace - Date.now()));
  };

  get #pace(): number {
    return this.#options.seconds * 1000 * Math.min(MOST, 1 + this.#failures);
  }

  #wait(ms = this.#pace): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), ms);
  }

  async #look(): Promise<void> {
    if (this.#over || document.hidden) return;
    if (this.#options.busy()) return this.#wait();
    this.#lastStart = Date.now();
    const control = new AbortController();
    this.#asking = control;
    let well = false;
    try {
      const answer = await this.#fetch(`${this.#options.url}?known=${this.#known}`, { credentials: 'same-origin', cache: 'no-store', signal: control.signal });
      if (answer.status === 401 || answer.status === 404) return this.#end();
      const told: unknown = answer.ok ? await answer.json() : null;
      if (control.signal.aborted || this.#over) return;
      // The page has begun to ask by itself meanwhile: what it hears is newer than this.
      if (this.#options.busy()) return this.#wait();
      if (belongs(told, this.#options.whose)) {
        if (told['ended'] === true) return this.#end();
        well = this.#read(told);
      }
    } catch {
      if (control.signal.aborted) return;
    }
    this.#failures = well ? 0 : this.#failures + 1;
    this.#options.unchecked(well ? null : this.checked);
    this.#wait();
  }

  #read(told: Record<string, unknown>): boolean {
    const missed = Array.isArray(told['missed']) ? told['missed'] : ['?'];
    if (typeof told['known'] === 'string') this.#known = told['known'];
    if (Array.isArray(told['rows']) && typeof told['strip'] === 'object' && told['strip'] !== null) {
      const arrived = new Map(Object.entries((told['arrived'] ?? {}) as Record<string, string>));
      this.#options.heard({ rows: told['rows'] as RowEvent[], strip: told['strip'] as StripEvent, arrived });
    } else this.#options.heard(null);
    if (missed.length > 0) return false;
    if (typeof told['at'] === 'string') this.checked = told['at'];
    return true;
  }

  #end(): void {
    this.stop();
    this.#options.ended();
  }
}
