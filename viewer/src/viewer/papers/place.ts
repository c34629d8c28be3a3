// Where a paper lies in an open study: in the viewport's place, one at a time. Knows when it is closed, and lets go.
import { h } from '../ui/dom';
import type { Paper, PaperHandle, PaperSource } from './registry';

export class PaperPlace {
  readonly element = h('div', 'v-paper', { hidden: true });
  #abort: AbortController | null = null;
  #handle: PaperHandle | null = null;

  /** Opens it. `done` and `failed` are called only while it is still the one that is wanted. */
  open(load: () => Promise<Paper>, source: Omit<PaperSource, 'signal'>, told: { done: () => void; failed: (error: unknown) => void }): void {
    this.close();
    const abort = this.#abort = new AbortController();
    this.element.hidden = false;
    load().then((paper) => paper.open(this.element, { ...source, signal: abort.signal })).then((handle) => {
      if (abort.signal.aborted) { handle.close(); return; }
      this.#handle = handle;
      told.done();
    }).catch((error: unknown) => { if (!abort.signal.aborted) { this.close(); told.failed(error); } });
  }

  close(): void {
    this.#abort?.abort();
    this.#abort = null;
    this.#handle?.close();
    this.#handle = null;
    this.element.replaceChildren();
    this.element.hidden = true;
  }
}
