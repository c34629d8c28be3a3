// Keeps viewports together while a person scrolls, zooms or windows in one of them. What may be linked is decided by
// `linking`; this listens and moves the others.
import type { Cell, Happening } from './cell';
import type { StackImage } from './dicom/images';
import { type Link, across, linkOf, reversed, sameScale, wordsOf } from './linking';
import type { SeriesSession } from './session';
import { decimal } from './words';

interface ByHand { a: SeriesSession; b: SeriesSession; link: Link }

export class Links {
  on = true;
  #hands: ByHand[] = [];
  #leading = false;
  #last: { cell: Cell; scale: number | null; window: string } | null = null;
  #apart = 0;

  constructor(private readonly cells: () => readonly Cell[], private readonly used: () => Cell, private readonly changed: () => void) {}

  /** K: links what is not, by hand where the files share no frame of reference; unlinks when all that can be is linked. */
  turn(): void {
    const waiting = this.#pairs().filter(({ link }) => link.how === 'none' && link.why === 'elsewhere');
    if (this.on && waiting.length === 0) {
      this.on = false;
      this.#hands = [];
    } else {
      this.on = true;
      for (const { to } of waiting) this.#join(this.used(), to);
      this.#follow(this.used());
    }
    this.#apart = 0;
    this.changed();
  }

  #join(from: Cell, to: Cell): void {
    if (from.image && to.image && from.session && to.session) this.#hands.push({ a: from.session, b: to.session, link: linkOf(from.image, to.image, true) });
  }

  #link(from: Cell, to: Cell): Link | null {
    const [a, b] = [from.image, to.image];
    if (!a || !b) return null;
    const hand = this.#hands.find((each) => each.a === from.session && each.b === to.session);
    if (hand) return hand.link;
    const back = this.#hands.find((each) => each.b === from.session && each.a === to.session);
    return back ? reversed(back.link) : linkOf(a, b, false);
  }

  #pairs(): { to: Cell; link: Link }[] {
    const from = this.used();
    return this.cells().filter((cell) => cell !== from).flatMap((to) => {
      const link = this.#link(from, to);
      return link ? [{ to, link }] : [];
    });
  }

  /** How the viewport in use goes with the others; empty where there is nothing to say. */
  get words(): string {
    const pairs = this.#pairs();
    if (pairs.length === 0) return '';
    if (!this.on) return 'Not linked';
    const said = [...new Set(pairs.map(({ link }) => wordsOf(link)))].join('. ');
    return this.#apart > 0 ? `${said}; the nearest slice lies ${decimal(this.#apart)} mm away` : said;
  }

  heard(cell: Cell, what: Happening): void {
    if (what === 'leaving') this.#hands = this.#hands.filter((each) => each.a !== cell.session && each.b !== cell.session);
    if (!this.on || this.#leading) return;
    if (what === 'image') this.#follow(cell);
    // Zoom and window are told a frame later: only where the hand is may they lead, or two would chase each other.
    else if (what === 'moved' && cell === this.used()) this.#alike(cell);
    else if (what === 'shown' && cell !== this.used()) this.#follow(this.used());
  }

  #follow(from: Cell): void {
    const { image } = from;
    if (!image) return;
    this.#leading = true;
    const before = this.#apart;
    this.#apart = 0;
    for (const to of this.cells()) {
      const link = to === from ? null : this.#link(from, to);
      const found = link && to.session ? across(link, image, to.session.images) : null;
      if (!found) continue;
      if (found.apart > Math.max(image.thickness ?? 1, to.image?.thickness ?? 1)) this.#apart = Math.max(this.#apart, found.apart);
      if (found.index !== to.index) void to.go(found.index);
    }
    this.#leading = false;
    if (before !== this.#apart) this.changed();
  }

  #alike(from: Cell): void {
    const { image, live } = from;
    const shown = live?.shown;
    if (!image || !live || !shown) return;
    const now = { cell: from, scale: image.spacing ? live.scale : null, window: shown.window ? `${shown.window.width}/${shown.window.center}` : '' };
    const last = this.#last;
    this.#last = now;
    if (last?.cell !== from) return; // another viewport came into use: nothing was changed in it yet
    for (const to of this.cells()) {
      if (to === from || !to.live || !to.image) continue;
      if (now.scale !== null && last.scale !== null && Math.abs(now.scale - last.scale) > 1e-4 * now.scale && to.image.spacing) to.live.scale = now.scale;
      if (now.window !== last.window && shown.window && this.#windows(from, image, to)) to.window(shown.window);
    }
  }

  #windows(from: Cell, image: StackImage, to: Cell): boolean {
    const oneStudy = from.source?.request.study === to.source?.request.study;
    return to.image !== undefined && sameScale(image, to.image, oneStudy);
  }
}
