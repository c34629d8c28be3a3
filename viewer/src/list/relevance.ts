// Why a study matters now. The words are the server's; here they are only put in place, and asked for again when a study is opened.
import { type Whose, belongs } from './stream';

export interface Said {
  readonly key: string;
  readonly words: string;
}
export type Relevant = ReadonlyMap<string, Said>;

/** The answer of /studies/relevance for the study `to`; null for anything that is not exactly that. */
export function read(data: unknown, whose: Whose, to: string): { words: string; rows: Relevant } | null {
  if (!belongs(data, whose) || data['to'] !== to || typeof data['words'] !== 'string') return null;
  const rows = new Map<string, Said>();
  const told = data['rows'];
  if (typeof told !== 'object' || told === null) return null;
  for (const [uid, pair] of Object.entries(told)) {
    if (Array.isArray(pair) && typeof pair[0] === 'string' && typeof pair[1] === 'string') rows.set(uid, { key: pair[0], words: pair[1] });
  }
  return { words: data['words'], rows };
}

/** Puts the sentence into a row, or takes it out. */
export function paint(row: HTMLElement, words: string): void {
  const line = row.querySelector<HTMLElement>('.rel');
  if (!words) return line?.remove();
  if (line) {
    const text = line.querySelector('span');
    if (text && text.textContent !== words) text.textContent = words;
    return;
  }
  const made = document.createElement('div');
  made.className = 'why rel';
  made.innerHTML = '<svg class="i i-s" aria-hidden="true"><use href="#i-why"/></svg><span></span>';
  (made.querySelector('span') as HTMLElement).textContent = words;
  const before = row.querySelector('.tx > .why:not(.rel)');
  if (before) before.before(made);
  else row.querySelector('.tx')?.append(made);
}

/** What is relevant to the study that is open; nothing while none is. */
export class Beside {
  readonly #url: string;
  readonly #whose: Whose;
  readonly #found: (rows: Relevant | null) => void;
  readonly #line = document.getElementById('about') as HTMLElement;
  #asking: AbortController | undefined;
  #base = '';
  #open = '';

  constructor(url: string, whose: Whose, found: (rows: Relevant | null) => void) {
    this.#url = url;
    this.#whose = whose;
    this.#found = found;
    this.#base = this.#line.querySelector('bdi')?.textContent ?? '';
  }

  /** What the chart is open for, as the list was told last. */
  set base(words: string) {
    this.#base = words;
    if (!this.#open) this.#say(words);
  }

  /** `uid` is open now; empty: none is. */
  follow(uid: string): void {
    if (uid === this.#open) return;
    this.#open = uid;
    this.stop();
    if (uid) return this.again();
    this.#say(this.#base);
    this.#found(null);
  }

  /** Rows may have changed: ask once more. */
  again(): void {
    if (this.#open) void this.#ask(this.#open);
  }

  stop(): void {
    this.#asking?.abort();
  }

  async #ask(uid: string): Promise<void> {
    this.stop();
    const control = new AbortController();
    this.#asking = control;
    try {
      const answer = await fetch(`${this.#url}?to=${encodeURIComponent(uid)}`, { credentials: 'same-origin', cache: 'no-store', signal: control.signal });
      const told = answer.ok ? read(await answer.json(), this.#whose, uid) : null;
      if (control.signal.aborted || this.#open !== uid || !told) return;
      this.#say(told.rows.size > 0 ? told.words : '');
      this.#found(told.rows);
    } catch {
      // the reasons for what the chart is open for stay, and say themselves what they are about
    }
  }

  #say(words: string): void {
    const text = this.#line.querySelector('bdi');
    if (text) text.textContent = words;
    this.#line.title = words ? `Relevant to: ${words}` : '';
    this.#line.hidden = words === '';
  }
}
