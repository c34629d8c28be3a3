// What this person prefers in the viewer, kept on the server for them alone; nothing of a patient is in it.
// Use: `prefs.get('layout')` at any time (defaults until the server has answered), `prefs.set('layout', '1x2')` when they choose.
// It is read after the first picture, never before, and a choice made meanwhile outranks what comes.

export interface Preferences {
  readonly version: 1;
  readonly layout: '1x1' | '1x2' | '2x2';
  readonly theme: 'auto' | 'light' | 'dark';
  /** Command of the tool that the left button has. */
  readonly tool: string;
  readonly letters: boolean;
  readonly autoplay: boolean;
  readonly presets: readonly { readonly name: string; readonly center: number; readonly width: number }[];
}
export const DEFAULTS: Preferences = { version: 1, layout: '1x1', theme: 'auto', tool: 'window', letters: true, autoplay: true, presets: [] };

/** The answer over the defaults; a field of another shape is left out. */
export function readPreferences(answer: unknown): Preferences {
  const told = typeof answer === 'object' && answer !== null ? (answer as Record<string, unknown>) : {};
  if (told['version'] !== DEFAULTS.version) return DEFAULTS;
  const fits = Object.entries(DEFAULTS).filter(([name, value]) => typeof told[name] === typeof value && Array.isArray(told[name]) === Array.isArray(value));
  return { ...DEFAULTS, ...Object.fromEntries(fits.map(([name]) => [name, told[name]])) };
}

type Send = (url: string, body?: string) => Promise<unknown>;

const send: Send = async (url, body) => {
  const token = document.querySelector<HTMLMetaElement>('meta[name="csrf"]')?.content ?? '';
  const put = body === undefined ? {} : { method: 'PUT', body, headers: { 'Content-Type': 'application/json', 'X-Priors-CSRF': token } };
  const answer = await fetch(url, { cache: 'no-store', credentials: 'same-origin', ...put });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
};

export class Prefs {
  #now: Preferences = DEFAULTS;
  readonly #chosen = new Set<keyof Preferences>();
  readonly #listeners = new Set<() => void>();
  #url = '';
  #came = false;
  #read: Promise<void> | null = null;
  #saving: Promise<void> = Promise.resolve();

  constructor(private readonly send: Send) {}

  get<K extends keyof Preferences>(name: K): Preferences[K] {
    return this.#now[name];
  }

  /** Whether this is the person's own choice, and not a default. */
  isTheirs(name: keyof Preferences): boolean {
    return this.#came || this.#chosen.has(name);
  }

  set<K extends keyof Preferences>(name: K, value: Preferences[K]): void {
    this.#now = { ...this.#now, [name]: value };
    this.#chosen.add(name);
    // Not before they were read: a first choice would put the defaults over all others.
    this.#saving = Promise.all([this.#saving, this.#read]).then(() => this.#url ? this.send(this.#url, JSON.stringify(this.#now)) : undefined).then(() => undefined, () => undefined); // it lasts for this page only, then
  }

  /** Reads them once a page. Faults are no fault of the study: the defaults stay. */
  begin(launch: string): Promise<void> {
    const url = `/l/${encodeURIComponent(launch)}/preferences`;
    return (this.#read ??= this.send(url).then((answer) => {
      const mine = Object.fromEntries([...this.#chosen].map((name) => [name, this.#now[name]]));
      this.#came = (answer as { saved?: unknown } | null)?.saved !== false;
      this.#now = { ...readPreferences(answer), ...mine };
      this.#url = url; // what could not be read is never written over
      this.#listeners.forEach((hears) => hears());
    }, () => undefined));
  }

  /** Calls `hears` when they have come. */
  on(hears: () => void): void {
    this.#listeners.add(hears);
  }

  /** For tests, and before a page goes. */
  get settled(): Promise<void> {
    return this.#saving;
  }
}

export const prefs = new Prefs(send);
