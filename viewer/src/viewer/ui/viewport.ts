// The black area: four corners, edge letters, scroll bar, messages in the picture's place. Draws no pixels itself;
// the first picture and Cornerstone put theirs into `pixels`.
import type { Edges } from '../dicom/orientation';
import { h, icon } from './dom';

export interface CornerLines { top: string[]; topRight: string[]; bottom: string[]; bottomRight: string[] }

export class ViewportFrame {
  readonly pixels = h('div', 'v-px');
  readonly element: HTMLElement;
  readonly #corners = { top: h('div', 'v-ov v-tl'), topRight: h('div', 'v-ov v-tr'), bottom: h('div', 'v-ov v-bl'), bottomRight: h('div', 'v-ov v-br') };
  readonly #edges = { top: h('span', 'v-mk v-mt'), right: h('span', 'v-mk v-mr'), bottom: h('span', 'v-mk v-mb'), left: h('span', 'v-mk v-ml') };
  readonly #curtain = h('div', 'v-curtain', { hidden: true });
  readonly #wait = h('div', 'v-wait', { hidden: true });
  readonly #note = h('div', 'v-note', { role: 'status' });
  readonly #bar = h('div', 'v-scroll', { role: 'slider', tabindex: 0, 'aria-label': 'Image', 'aria-orientation': 'vertical', 'aria-valuemin': 1, hidden: true });
  readonly #parts = h('div', 'v-parts');
  readonly #knob = h('div', 'v-knob');
  #noteTimer = 0;

  constructor(onScrollTo: (index: number) => void) {
    this.#bar.append(this.#parts, this.#knob);
    this.element = h('div', 'v-vp', { tabindex: 0, role: 'group', 'aria-label': 'Image' }, this.pixels, this.#curtain,
      ...Object.values(this.#corners), ...Object.values(this.#edges), this.#wait, this.#note, this.#bar);
    this.#drag(onScrollTo);
  }

  corners(lines: CornerLines): void {
    for (const [place, element] of Object.entries(this.#corners) as [keyof CornerLines, HTMLElement][]) {
      const shown = lines[place].filter(Boolean);
      element.hidden = shown.length === 0;
      element.replaceChildren(...shown.map((line, i) => {
        const strong = i === 0 && (place === 'top' || place === 'topRight');
        return h('div', strong ? 'v-b' : i > 0 && place !== 'top' ? 'v-d' : '', {}, line);
      }));
    }
  }

  edges(edges: Edges | null): void {
    for (const place of ['top', 'right', 'bottom', 'left'] as const) this.#edges[place].textContent = edges?.[place] ?? '';
  }

  overlays(shown: boolean): void {
    this.element.classList.toggle('v-bare', !shown);
  }

  /** Covers the pixels with black and says why; null takes the cover away. */
  curtain(message: { title: string; detail?: string } | null): void {
    this.#curtain.hidden = message === null;
    if (!message) { this.#curtain.replaceChildren(); return; }
    this.#curtain.replaceChildren(icon('none', 'v-i v-i-l'), h('p', 'v-b', {}, message.title), ...(message.detail ? [h('p', 'v-d', {}, message.detail)] : []));
  }

  waiting(text: string | null): void {
    this.#wait.hidden = text === null;
    this.#wait.replaceChildren(...(text === null ? [] : [icon('load', 'v-i v-spin'), text]));
  }

  /** A short message over the picture that leaves by itself. */
  note(text: string): void {
    window.clearTimeout(this.#noteTimer);
    this.#note.textContent = text;
    this.#noteTimer = window.setTimeout(() => { this.#note.textContent = ''; }, 5000);
  }

  scroll(index: number, total: number, label: string): void {
    this.#bar.hidden = total < 2;
    this.#bar.setAttribute('aria-valuemax', String(total));
    this.#bar.setAttribute('aria-valuenow', String(index + 1));
    this.#bar.setAttribute('aria-valuetext', label);
    this.#knob.style.top = `${total < 2 ? 0 : (index / (total - 1)) * 100}%`;
  }

  /** `marks`: per image true loaded, false failed, null not there yet. Neighbours are drawn as one piece. */
  parts(marks: (boolean | null)[]): void {
    const pieces: HTMLElement[] = [];
    for (let i = 0; i < marks.length;) {
      let j = i;
      while (j < marks.length && marks[j] === marks[i]) j += 1;
      if (marks[i] !== null) {
        const piece = h('i', marks[i] ? 'v-have' : 'v-miss');
        piece.style.top = `${(i / marks.length) * 100}%`;
        piece.style.height = `${((j - i) / marks.length) * 100}%`;
        pieces.push(piece);
      }
      i = j;
    }
    this.#parts.replaceChildren(...pieces);
  }

  #drag(onScrollTo: (index: number) => void): void {
    const to = (event: PointerEvent): void => {
      const box = this.#parts.getBoundingClientRect();
      const total = Number(this.#bar.getAttribute('aria-valuemax'));
      const share = Math.min(1, Math.max(0, (event.clientY - box.top) / Math.max(1, box.height)));
      onScrollTo(Math.round(share * (total - 1)));
    };
    this.#bar.addEventListener('pointerdown', (event) => {
      this.#bar.setPointerCapture(event.pointerId);
      event.stopPropagation();
      to(event);
    });
    this.#bar.addEventListener('pointermove', (event) => { if (this.#bar.hasPointerCapture(event.pointerId)) to(event); });
  }
}
