// The page of one request changes by itself: it asks while it is in view, and takes only what is of its own launch and patient.
import { belongs } from '../list/stream';

const MOST = 6;

export class Timeline {
  readonly #page: HTMLElement;
  readonly #whose: { launch: string; patient: string };
  readonly #ended: () => void;
  #failures = 0;
  #timer = 0;

  constructor(page: HTMLElement, whose: { launch: string; patient: string }, ended: () => void) {
    this.#page = page;
    this.#whose = whose;
    this.#ended = ended;
    document.addEventListener('visibilitychange', () => this.#wait(document.hidden ? undefined : 0));
    this.#wait();
  }

  #wait(ms = Number(this.#page.dataset['seconds'] ?? 10) * 1000 * Math.min(MOST, 1 + this.#failures)): void {
    clearTimeout(this.#timer);
    if (!document.hidden) this.#timer = window.setTimeout(() => void this.#look(), ms);
  }

  async #look(): Promise<void> {
    const page = this.#page.dataset;
    try {
      const answer = await fetch(`${page['now']}?known=${page['known']}`, { credentials: 'same-origin', cache: 'no-store' });
      if (answer.status === 401 || answer.status === 404) return this.#ended();
      const told: unknown = answer.ok ? await answer.json() : null;
      if (belongs(told, this.#whose)) {
        this.#failures = 0;
        this.#show(told);
      } else this.#failures += 1;
    } catch {
      this.#failures += 1;
    }
    this.#wait();
  }

  #show(told: Record<string, unknown>): void {
    if (typeof told['known'] === 'string') this.#page.dataset['known'] = told['known'];
    if (typeof told['main'] !== 'string' || typeof told['side'] !== 'string') return;
    const part = (name: string): HTMLElement | null => this.#page.querySelector<HTMLElement>(`[data-${name}]`);
    const [main, side, word, live] = [part('main'), part('side'), part('word'), part('live')];
    if (main) main.innerHTML = told['main'];
    if (side) side.innerHTML = told['side'];
    if (typeof told['pill'] === 'string' && word) word.outerHTML = told['pill'];
    if (live && typeof told['word'] === 'string') live.textContent = `Now: ${told['word']}`;
  }
}
