// When the panel beside the images comes: after the first image, by itself where there is room for both, else when it is asked for.
// Its code and the reports are fetched then, and not before.
import type { Request } from './outline';
import type { Side } from './side/side';
import { h } from './ui/dom';

const ROOM = 960;

export class Beside {
  readonly #ends = new AbortController();
  readonly #button = h('button', 'v-btn v-rbtn', { type: 'button', 'aria-expanded': 'false', title: 'Report (E)' }, 'Report');
  #side: Promise<Side> | null = null;
  #asked = false;

  constructor(private readonly root: HTMLElement, private readonly request: Request) {
    this.#button.addEventListener('click', () => this.toggle());
    root.querySelector('.v-titles')?.after(this.#button);
  }

  /** The first image is on the screen. */
  ready(): void {
    if (this.#asked) return;
    this.#asked = true;
    if (this.root.clientWidth >= ROOM) void this.#open(true, false);
  }

  toggle(): void {
    this.#asked = true;
    void this.#open(!this.root.classList.contains('v-hasside'), true);
  }

  destroy(): void {
    this.#ends.abort();
  }

  async #open(open: boolean, focus: boolean): Promise<void> {
    this.#side ??= this.#made();
    this.root.classList.toggle('v-hasside', open);
    this.#button.setAttribute('aria-expanded', String(open));
    const side = await this.#side;
    if (this.#ends.signal.aborted) return;
    side.show(this.root.classList.contains('v-hasside'));
    if (focus && side.open) side.focus();
    else if (focus) this.#button.focus();
  }

  async #made(): Promise<Side> {
    const [{ Side }, { reportPane }] = await Promise.all([import('./side/side'), import('./side/report')]);
    const side = new Side();
    if (this.#ends.signal.aborted) return side;
    side.add({ name: 'report', title: 'Report', element: reportPane(this.request, this.#ends.signal) });
    this.root.append(side.element);
    return side;
  }
}
