// Two points that a hand or the keys move over the drawing, and what lies between them.
import { s } from './draw';
import type { Page, Scale } from './layout';
import { type Point, said } from './measure';

const STEPS: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP = 0.1; // mm: 4 ms at 25 mm/s, 0.01 mV at 10 mm/mV

export class Calipers {
  readonly #points: [Point, Point];
  readonly #layer = s('g', { class: 'p-calipers' });
  readonly #lines = s('path', { class: 'p-caliper-line' });
  readonly #text = s('text', { class: 'p-caliper-text' });
  readonly #handles: [SVGGElement, SVGGElement];

  constructor(private readonly svg: SVGSVGElement, private readonly page: Page, private readonly scale: Scale, private readonly told: (words: string) => void, start?: [Point, Point]) {
    const y = page.rows[page.rows.length - 1] ?? 10;
    this.#points = start ?? [{ x: page.left + 25, y }, { x: page.left + 45, y }];
    this.#handles = [this.#handle(0), this.#handle(1)];
    this.#layer.append(this.#lines, this.#text, ...this.#handles);
    svg.append(this.#layer);
    svg.setAttribute('role', 'group'); // a picture may not hold controls
    this.#draw();
  }

  get points(): [Point, Point] {
    return this.#points;
  }

  focus(): void {
    this.#handles[0].focus();
  }

  remove(): void {
    this.#layer.remove();
    this.svg.setAttribute('role', 'img');
    this.told('');
  }

  #handle(index: 0 | 1): SVGGElement {
    const handle = s('g', { class: 'p-handle', tabindex: 0, role: 'slider', 'aria-label': index === 0 ? 'First caliper point' : 'Second caliper point', 'aria-valuemin': 0, 'aria-valuemax': this.page.width },
      s('circle', { r: 4, class: 'p-grip' }), s('path', { d: 'M-2 0H2M0 -2V2' }));
    handle.addEventListener('keydown', (event) => {
      const step = STEPS[event.key];
      if (!step || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      const by = event.shiftKey ? 10 : 1;
      const point = this.#points[index];
      this.#move(index, { x: point.x + step[0] * STEP * by, y: point.y + step[1] * STEP * by });
    });
    handle.addEventListener('pointerdown', (event) => { event.preventDefault(); handle.focus(); handle.setPointerCapture(event.pointerId); });
    handle.addEventListener('pointermove', (event) => { if (handle.hasPointerCapture(event.pointerId)) this.#move(index, this.#at(event)); });
    return handle;
  }

  #at(event: PointerEvent): Point {
    const into = this.svg.getScreenCTM()?.inverse();
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(into);
    return { x: point.x, y: point.y };
  }

  #move(index: 0 | 1, to: Point): void {
    this.#points[index] = { x: Math.min(this.page.width, Math.max(0, to.x)), y: Math.min(this.page.height, Math.max(0, to.y)) };
    this.#draw();
  }

  #draw(): void {
    const [a, b] = this.#points;
    const words = said(a, b, this.scale);
    this.#lines.setAttribute('d', `M${a.x} 0V${this.page.height}M${b.x} 0V${this.page.height}M${a.x} ${a.y}H${b.x}M${b.x} ${a.y}V${b.y}`);
    this.#handles.forEach((handle, index) => {
      const point = this.#points[index as 0 | 1];
      handle.setAttribute('transform', `translate(${point.x} ${point.y})`);
      handle.setAttribute('aria-valuenow', point.x.toFixed(1));
      handle.setAttribute('aria-valuetext', words);
    });
    this.#text.textContent = words;
    const middle = Math.min(this.page.width - 45, Math.max(2, (a.x + b.x) / 2 - 18));
    this.#text.setAttribute('x', String(middle));
    this.#text.setAttribute('y', String(Math.max(6, Math.min(a.y, b.y) - 8)));
    this.told(words);
  }
}
