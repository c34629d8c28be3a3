// Keeps an open work list new: asks whether anything changed, and shows it; while somebody works in the list it waits behind a bar.

export interface LiveOptions {
  readonly url: string;
  readonly launch: string;
  readonly seconds: number;
  /** The filters as they are on the page, with the page's token. */
  readonly fields: () => URLSearchParams;
  /** Somebody points at the list or has ticked something in it: nothing may move under their hands. */
  readonly busy: () => boolean;
  /** `side` where the page has a panel of its own. */
  readonly draw: (rows: string, views: string, side?: string) => void;
  readonly waits: (waiting: boolean) => void;
  readonly said: (words: string, well: boolean) => void;
  readonly ended: () => void;
  readonly fetch?: typeof fetch;
}

interface Told {
  readonly launch: string;
  readonly known: string;
  readonly at?: string;
  readonly rows?: string;
  readonly views?: string;
  readonly side?: string;
}

export class Live {
  readonly #options: LiveOptions;
  readonly #fetch: typeof fetch;
  #known: string;
  #kept: Told | null = null;
  #over = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(known: string, options: LiveOptions) {
    this.#known = known;
    this.#options = options;
    this.#fetch = options.fetch ?? fetch.bind(globalThis);
  }

  start(): void {
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) void this.look();
    });
    this.#wait();
  }

  stop(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  /** Ask once. A list out of view is not asked for. */
  async look(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#over || document.hidden) return this.#wait();
    try {
      const body = this.#options.fields();
      body.set('known', this.#known);
      const answer = await this.#fetch(this.#options.url, { method: 'POST', body, credentials: 'same-origin', cache: 'no-store', headers: { Accept: 'application/json' } });
      if (answer.status === 401 || answer.status === 403 || answer.status === 404) return this.#end();
      const told: unknown = answer.ok ? await answer.json() : null;
      if (!isTold(told) || told.launch !== this.#options.launch) throw new Error('not an answer');
      this.#hear(told);
    } catch {
      this.#options.said('Not checked: no answer', false);
    }
    this.#wait();
  }

  /** Show what waits behind the bar. */
  show(): void {
    const kept = this.#kept;
    this.#kept = null;
    this.#options.waits(false);
    if (kept?.rows !== undefined && kept.views !== undefined) this.#options.draw(kept.rows, kept.views, kept.side);
  }

  #hear(told: Told): void {
    this.#known = told.known;
    if (told.rows === undefined) {
      this.#options.said('Live', true);
      return;
    }
    this.#kept = told;
    this.#options.said(`Live, last change ${told.at ?? ''}`.trim(), true);
    if (this.#options.busy()) this.#options.waits(true);
    else this.show();
  }

  #wait(): void {
    clearTimeout(this.#timer);
    if (!this.#over) this.#timer = setTimeout(() => void this.look(), this.#options.seconds * 1000);
  }

  #end(): void {
    this.stop();
    this.#options.ended();
  }
}

function isTold(value: unknown): value is Told {
  return typeof value === 'object' && value !== null && typeof (value as Told).launch === 'string' && typeof (value as Told).known === 'string';
}
