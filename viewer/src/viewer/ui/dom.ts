// Makes elements. Text goes in as text nodes only; nothing of an answer is ever parsed as HTML.

type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | number | boolean | null | undefined>;

/** `h('button', 'v-tool', {'aria-label': 'Zoom'}, icon('zoom'))`. An attribute that is null or false is left out. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, className = '', attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className) element.className = className;
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((child): child is Node | string => child !== null && child !== undefined && child !== false && child !== ''));
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

// 16 px strokes; an f: path is filled.
const ICONS = {
  angle: 'M13.5 13H2.5L11 3M7.5 13a6 6 0 0 0-1.4-3.9',
  down: 'M3.5 6l4.5 4.5L12.5 6',
  flip: 'M8 1.5v13M6 4L1.8 12H6zM10 4l4.2 8H10z',
  fit: 'M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4M5.5 5.5h5v5h-5z',
  full: 'M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4',
  inv: 'M3.5 2h9A1.5 1.5 0 0 1 14 3.5v9a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 2 12.5v-9A1.5 1.5 0 0 1 3.5 2z|f:M2.4 13.6L13.6 2.4 14 12.8 12.8 14z',
  kbd: 'M2.7 4h10.6a1.2 1.2 0 0 1 1.2 1.2v6.1a1.2 1.2 0 0 1-1.2 1.2H2.7a1.2 1.2 0 0 1-1.2-1.2V5.2A1.2 1.2 0 0 1 2.7 4zM4 6.8h.1M6.6 6.8h.1M9.2 6.8h.1M11.8 6.8h.1M5 9.8h6',
  left: 'M10 3.5L5.5 8l4.5 4.5',
  four: 'M2 2.5h12v11H2zM8 2.5v11M2 8h12',
  link: 'M6.5 9.5l3-3M7 4.5l1.8-1.8a2.9 2.9 0 0 1 4.1 4.1L11 8.6M9 11.5l-1.8 1.8a2.9 2.9 0 0 1-4.1-4.1L5 7.4',
  load: 'M8 1.8a6.2 6.2 0 1 1-6.2 6.2',
  more: 'f:M3 6.6a1.4 1.4 0 1 0 0 2.8 1.4 1.4 0 0 0 0-2.8zM8 6.6a1.4 1.4 0 1 0 0 2.8 1.4 1.4 0 0 0 0-2.8zM13 6.6a1.4 1.4 0 1 0 0 2.8 1.4 1.4 0 0 0 0-2.8z',
  none: 'M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8zM5.5 5.5l5 5',
  planes: 'M2.5 2.5h11v11h-11zM8 2.5v11M2.5 8h11',
  older: 'M8 2a6 6 0 1 1-5.2 3M2.5 2v3.2h3.2M8 4.8V8l2.2 1.6',
  one: 'M2 2.5h12v11H2z',
  ok: 'M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8zM5 8.2l2.1 2.1L11 6',
  pan: 'M8 1.5v13M1.5 8h13M6 3.5l2-2 2 2M6 12.5l2 2 2-2M3.5 6l-2 2 2 2M12.5 6l2 2-2 2',
  part: 'M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8z|f:M8 1.8a6.2 6.2 0 0 0 0 12.4z',
  play: 'M4.5 2.5l9 5.5-9 5.5z',
  pause: 'M5 2.5v11M11 2.5v11',
  rep: 'M4 1.8h5.5L12.5 5v9.2H4zM6 7.5h4.5M6 10h4.5',
  reset: 'M3 8a5 5 0 1 0 1.6-3.7M3 1.8v3h3',
  rot: 'M13 8a5 5 0 1 1-1.6-3.7M13 1.8v3h-3',
  ruler: 'M1.6 10.8l9.2-9.2 3.6 3.6-9.2 9.2zM4 8.4l1.6 1.6M6.2 6.2l1.1 1.1M8.4 4l1.6 1.6',
  stack: 'M2 5l6-3 6 3-6 3zM2 8l6 3 6-3M2 11l6 3 6-3',
  swap: 'M2 5.5h11M10 2.5l3 3-3 3M14 10.5H3M6 7.5l-3 3 3 3',
  two: 'M2 2.5h12v11H2zM8 2.5v11',
  text: 'M3 3.5h10M8 3.5v9.5M6 13h4',
  trash: 'M2.5 4h11M6 4V2.2h4V4M4 4l.6 9.8h6.8L12 4M6.8 6.5v5M9.2 6.5v5',
  warn: 'M8 2l6.5 11.5h-13zM8 6.4v3.2M8 11.5v.1',
  wl: 'M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8z|f:M8 1.8a6.2 6.2 0 0 1 0 12.4z',
  x: 'M3.5 3.5l9 9m0-9l-9 9',
  zoom: 'M7 2.4a4.6 4.6 0 1 1 0 9.2 4.6 4.6 0 0 1 0-9.2zM10.5 10.5L14 14M5 7h4M7 5v4',
} as const;

export type Icon = keyof typeof ICONS;

/** A decorative icon: hidden from assistive technology, so it always stands beside a word or in a named button. */
export function icon(name: Icon, className = 'v-i'): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('class', className);
  svg.setAttribute('aria-hidden', 'true');
  for (const piece of ICONS[name].split('|')) {
    const path = document.createElementNS(SVG, 'path');
    const filled = piece.startsWith('f:');
    path.setAttribute('d', filled ? piece.slice(2) : piece);
    if (filled) path.setAttribute('class', 'f');
    svg.append(path);
  }
  return svg;
}
