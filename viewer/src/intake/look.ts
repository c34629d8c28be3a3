// Every image of what arrived, large, one after the other: for telling whose and what it is, not for diagnosis.
import { type Drawn, type Spot, type Study, ahead, ask, moved } from './drawn';

const STEPS: Record<string, number> = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };
const MOST_KEPT = 60;

export class Look {
  readonly #kept = new Map<string, Drawn>();
  #at: Spot = { study: 0, at: 0 };
  #asking: AbortController | null = null;

  constructor(private readonly dialog: HTMLDialogElement, private readonly studies: readonly Study[], private readonly base: string) {
    dialog.querySelector('[data-back]')?.addEventListener('click', () => this.#move(-1));
    dialog.querySelector('[data-on]')?.addEventListener('click', () => this.#move(1));
    dialog.querySelector('[data-close]')?.addEventListener('click', () => dialog.close());
    dialog.addEventListener('close', () => this.#asking?.abort());
    dialog.addEventListener('keydown', (event) => {
      const by = STEPS[event.key];
      if (by === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      this.#move(by);
    });
  }

  open(spot: Spot): void {
    this.dialog.showModal();
    this.#go(spot, false);
  }

  #move(by: number): void {
    const bounded = Math.max(-1e6, Math.min(1e6, by));
    this.#go(moved(this.studies, this.#at, bounded), by < 0);
  }

  #go(spot: Spot, backwards: boolean): void {
    this.#at = spot;
    this.#draw();
    if (!this.#kept.has(this.#key(spot))) void this.#fetch(spot, backwards);
  }

  #key({ study, at }: Spot): string {
    return `${study} ${at}`;
  }

  async #fetch(spot: Spot, backwards: boolean): Promise<void> {
    const study = this.studies[spot.study];
    if (!study) return;
    this.#asking?.abort();
    const mine = (this.#asking = new AbortController());
    const places = ahead(spot.at, study.images, backwards, (at) => this.#kept.has(this.#key({ study: spot.study, at })));
    try {
      await ask(`${this.base}/${study.item}/pictures?size=large&`, places, (one) => {
        this.#kept.set(this.#key({ study: spot.study, at: one.at }), one);
        for (const old of [...this.#kept.keys()].slice(0, Math.max(0, this.#kept.size - MOST_KEPT))) this.#kept.delete(old);
        this.#draw();
      }, mine.signal);
    } catch {
      if (!mine.signal.aborted && !this.#kept.has(this.#key(this.#at))) this.#say('There was no answer. Go on and back to try again.');
      return;
    }
    // Somebody went on faster than it was drawn.
    if (this.dialog.open && this.#asking === mine && !this.#kept.has(this.#key(this.#at))) void this.#fetch(this.#at, backwards);
  }

  #draw(): void {
    const study = this.studies[this.#at.study];
    const one = this.#kept.get(this.#key(this.#at));
    const image = this.dialog.querySelector('img') as HTMLImageElement;
    const where = `Image ${(this.#at.at + 1).toLocaleString('en')} of ${(study?.images ?? 0).toLocaleString('en')}`;
    (this.dialog.querySelector('[data-title]') as HTMLElement).textContent = study?.title ?? '';
    (this.dialog.querySelector('[data-whose]') as HTMLElement).textContent = study?.whose ?? '';
    (this.dialog.querySelector('[data-where]') as HTMLElement).textContent = one?.words ?? where;
    image.hidden = !one?.picture;
    if (one?.picture) image.src = `data:image/png;base64,${one.picture}`;
    image.alt = one?.picture ? `${study?.title ?? ''}, ${one.words}` : '';
    this.#say(one ? (one.picture ? '' : 'This image cannot be drawn here.') : `Drawing ${where.toLowerCase()}…`);
    const first = moved(this.studies, this.#at, -1);
    const last = moved(this.studies, this.#at, 1);
    (this.dialog.querySelector('[data-back]') as HTMLButtonElement).disabled = this.#key(first) === this.#key(this.#at);
    (this.dialog.querySelector('[data-on]') as HTMLButtonElement).disabled = this.#key(last) === this.#key(this.#at);
  }

  #say(words: string): void {
    (this.dialog.querySelector('[data-said]') as HTMLElement).textContent = words;
  }
}
