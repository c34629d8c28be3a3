// What the page was opened for, when that is more than the chart: says what came of it, and shows those rows only.
// The address holds one fixed word (`?door=`); what was asked for is the server's to tell, once the list runs and again at its end.
import { type Filter } from './facets';

export interface Told {
  readonly sentence: string;
  readonly studies: readonly string[];
  readonly accession: boolean;
  readonly study: string;
  readonly modalities: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly newest: number;
}

/** Rows as far as this matters: newest first is descending `sort`. */
export interface Ordered {
  readonly uid: string;
  readonly sort: string;
  readonly date: string;
  readonly modalities: readonly string[];
}

/** The rows that a request for images means, as a filter of the list; null: all of them. */
export function wanted(told: Told, rows: readonly Ordered[]): Partial<Filter> | null {
  const change: { -readonly [K in keyof Filter]?: Filter[K] } = {};
  if (told.studies.length > 1) change.only = new Set(told.studies);
  if (told.modalities.length > 0) change.modality = new Set(told.modalities);
  if (told.from) change.from = told.from;
  if (told.to) change.to = told.to;
  if (told.newest > 0) {
    const passing = rows.filter((row) => (told.modalities.length === 0 || row.modalities.some((one) => told.modalities.includes(one))) && (!told.from || row.date >= told.from) && (!told.to || (row.date !== '' && row.date <= told.to)));
    const newest = [...passing].sort((a, b) => (a.sort < b.sort ? 1 : a.sort > b.sort ? -1 : 0)).slice(0, told.newest);
    change.only = new Set(newest.map((row) => row.uid));
  }
  return Object.keys(change).length > 0 ? change : null;
}

/** Why a study that was asked for is not open. Never says that it does not exist while somebody has not answered. */
export function notListed(isWhole: boolean): string {
  const nothing = 'Nothing was opened in its place.';
  return isWhole ? `The study that was asked for is not in this patient’s list. ${nothing}` : `The study that was asked for is not in the list, and the list may be incomplete. ${nothing}`;
}

interface List {
  readonly url: string;
  readonly whose: { readonly launch: string; readonly patient: string };
  rows(): readonly Ordered[];
  /** Whether every source answered in full. */
  isWhole(): boolean;
  filter(change: Partial<Filter>): void;
  open(uid: string): boolean;
  isOpen(): boolean;
}

export class Door {
  readonly #list: List;
  readonly #asked = new URLSearchParams(location.search).get('door');
  readonly #note = document.getElementById('door') as HTMLElement;
  #settled = false;

  constructor(list: List) {
    this.#list = list;
    document.addEventListener('priors:not-listed', () => this.#say(notListed(list.isWhole())));
    this.#note.querySelector('button')?.addEventListener('click', () => (this.#note.hidden = true));
  }

  /** Asks what the page was opened for, and says at once why something was not opened. */
  async begin(): Promise<void> {
    if (this.#asked === null) return;
    const told = await this.#ask();
    if (!told) return;
    this.#say(told.sentence);
    if (told.newest === 0) this.#narrow(told);
  }

  /** All sources have said what they have: what can be known only now is opened, or said not to be there. */
  async settled(): Promise<void> {
    if (this.#asked === null || this.#settled) return;
    this.#settled = true;
    const told = await this.#ask();
    if (!told) return;
    if (told.newest > 0) this.#narrow(told);
    if (told.accession && !this.#list.isOpen() && !(told.study && this.#list.open(told.study))) this.#say(notListed(this.#list.isWhole()));
  }

  #narrow(told: Told): void {
    const change = wanted(told, this.#list.rows());
    if (change) this.#list.filter(change);
  }

  #say(sentence: string): void {
    const line = this.#note.querySelector('p');
    if (!line || !sentence) return;
    line.textContent = sentence;
    this.#note.hidden = false;
  }

  async #ask(): Promise<Told | null> {
    try {
      const answer = await fetch(`${this.#list.url}?said=${encodeURIComponent(this.#asked ?? '')}`, { cache: 'no-store', credentials: 'same-origin' });
      const told = answer.ok ? ((await answer.json()) as Told & { launch: string; patient: string }) : null;
      return told && told.launch === this.#list.whose.launch && told.patient === this.#list.whose.patient ? told : null;
    } catch {
      this.#say('Priors could not tell what was asked for. Find it in the list.');
      return null;
    }
  }
}
