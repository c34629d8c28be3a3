// Draws one page of an ECG as SVG in millimetres: grid, pulse, traces, names. Colours are classes of papers.css.
import type { Page, Scale } from './layout';
import { pathOf } from './layout';

const SVG = 'http://www.w3.org/2000/svg';

export function s<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Record<string, string | number>, ...children: (Node | string)[]): SVGElementTagNameMap[K] {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** The drawing. `filtered` gives the values to draw for a lead; `words` stands at the foot. */
export function drawPage(page: Page, rate: number, scale: Scale, filtered: (values: Float64Array) => Float64Array, words: string, label: string): SVGSVGElement {
  const svg = s('svg', { viewBox: `0 0 ${page.width} ${page.height + 6}`, class: 'p-ecg', role: 'img', 'aria-label': label });
  svg.append(s('rect', { x: 0, y: 0, width: page.width, height: page.height, class: 'p-ground' }), grid(page, 1, 'p-fine'), grid(page, 5, 'p-thick'));
  for (const y of page.rows) svg.append(s('path', { class: 'p-pulse', d: pulse(y, scale) }));
  for (const strip of page.strips) {
    const path = s('path', { class: 'p-trace', d: pathOf(strip, filtered(strip.lead.values), rate, scale) });
    path.dataset.lead = strip.lead.name;
    svg.append(path);
  }
  for (const strip of page.strips) {
    if (!strip.first) svg.append(s('path', { class: 'p-pulse', d: `M${strip.x} ${strip.y - 4}v2M${strip.x} ${strip.y + 2}v2` }));
    const high = page.form === '3x4' ? 9 : 4.5;
    svg.append(s('text', { x: strip.x + 1.5, y: strip.y - high, class: 'p-lead' }, strip.lead.name + (strip.lead.calculated ? '*' : '')));
  }
  svg.append(s('text', { x: 1, y: page.height + 4.4, class: 'p-words' }, words));
  return svg;
}

function grid(page: Page, step: number, name: string): SVGPathElement {
  let d = '';
  for (let x = 0; x <= page.width; x += step) if (step > 1 || x % 5 !== 0) d += `M${x} 0V${page.height}`;
  for (let y = 0; y <= page.height; y += step) if (step > 1 || y % 5 !== 0) d += `M0 ${y}H${page.width}`;
  return s('path', { class: name, d });
}

// One millivolt for a fifth of a second, before the trace: what every height is compared with.
function pulse(y: number, { speed, gain }: Scale): string {
  const width = Math.min(0.2 * speed, 7);
  return `M2 ${y}h1.5v${-gain}h${width}v${gain}h1`;
}
