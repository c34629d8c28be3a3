// Ends the page when the session is over: all patient data leaves the document, it is not merely hidden.
const MINUTE = 60_000;

export interface SessionOptions {
  readonly idleMs: number;
  /** A cheap request inside this launch: keeps the server's idle clock in step with a person who only reads. */
  readonly pulseUrl: string;
  readonly neutralUrl: string;
  readonly before: () => void;
}

export class SessionWatch {
  readonly #options: SessionOptions;
  #lastUse = Date.now();
  #lastPulse = Date.now();
  #over = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    for (const kind of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart']) addEventListener(kind, () => (this.#lastUse = Date.now()), { passive: true, capture: true });
    setInterval(() => void this.#check(), 10_000);
    // Whoever comes back to the tab may be another person than the one who left it: ask at once whose it is.
    document.addEventListener('visibilitychange', () => void this.#check(true));
    // The back-forward cache must not bring a patient back: blank on the way out, ask again on the way in.
    addEventListener('pagehide', (event) => {
      if (event.persisted) this.end('server');
    });
    addEventListener('pageshow', (event) => {
      if (event.persisted) location.reload();
    });
  }

  get over(): boolean {
    return this.#over;
  }

  end(reason: 'idle' | 'server'): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.before();
    const template = document.getElementById('ended') as HTMLTemplateElement;
    const sprite = document.querySelector('.sprite');
    const page = template.content.cloneNode(true) as DocumentFragment;
    page.querySelectorAll<HTMLElement>('[data-reason]').forEach((one) => {
      if (one.dataset['reason'] !== reason) one.remove();
    });
    document.body.replaceChildren(...(sprite ? [sprite] : []), page);
    history.replaceState(null, '', this.#options.neutralUrl);
    document.querySelector<HTMLElement>('main')?.focus();
  }

  async #check(returned = false): Promise<void> {
    if (this.#over) return;
    const now = Date.now();
    if (now - this.#lastUse >= this.#options.idleMs) return this.end('idle');
    const due = now - this.#lastPulse >= Math.min(4 * MINUTE, this.#options.idleMs / 3) && this.#lastUse > this.#lastPulse;
    if (document.hidden || !(returned || due)) return;
    this.#lastPulse = now;
    try {
      const answer = await fetch(this.#options.pulseUrl, { cache: 'no-store', credentials: 'same-origin' });
      if (answer.status === 401 || answer.status === 404) this.end('server'); // 404: another user has signed in since
    } catch {
      // no network: the next request will tell
    }
  }
}
