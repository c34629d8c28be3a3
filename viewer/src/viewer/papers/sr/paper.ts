// A structured report, a dose report or a list of key images as a page that is read: headings, tables, sentences, links.
import type { Dataset } from '../../dicom/json';
import { text } from '../../dicom/json';
import { path } from '../../transfer/gateway';
import { h, icon } from '../../ui/dom';
import type { ImageReference } from '../registry';
import type { Leaf, LeafHandle } from '../sheet';
import { doseOf, quantity } from './dose';
import { standingOf } from './standing';
import { type Node, find, readTree } from './tree';

const MODIFIES = new Set(['HAS CONCEPT MOD', 'HAS ACQ CONTEXT']);
const HANDLE = (body: HTMLElement): LeafHandle => ({ print: 'upright', close: () => body.replaceChildren() });

export async function report(leaf: Leaf): Promise<LeafHandle> {
  leaf.body.append(page(leaf, standing(leaf.set)));
  return HANDLE(leaf.body);
}

export async function dose(leaf: Leaf): Promise<LeafHandle> {
  const { root } = readTree(leaf.set);
  const told = doseOf(root);
  const summary = h('section', 'p-dose', { 'aria-label': 'Dose in short' }, h('h3', '', {}, 'Dose in short'),
    told.totals.length ? table([], told.totals.map(([label, value]) => [label, value])) : h('p', '', {}, 'No total is given in this report.'),
    told.events.length ? table(['Irradiation', ...told.columns], told.events.map((event) => [event.label, ...told.columns.map((column) => event.values[column] ?? 'not given')])) : null,
    h('p', 'v-dim', {}, 'Numbers and units as the scanner wrote them. They describe the machine\u2019s output, not what the patient absorbed.'));
  leaf.body.append(summary, page(leaf, standing(leaf.set), 'Whole report'));
  return HANDLE(leaf.body);
}

export async function keyImages(leaf: Leaf): Promise<LeafHandle> {
  const { root, cut } = readTree(leaf.set);
  const reason = [root.name?.meaning ?? 'Key images', ...root.children.filter((one) => one.relation === 'HAS CONCEPT MOD').map((one) => one.value)].filter(Boolean).join(': ');
  const said = find(root, '113012')?.value;
  const images = root.children.filter((one) => one.reference);
  leaf.body.append(h('article', 'p-page', {}, h('h3', '', {}, reason), said ? h('p', 'p-text', {}, said) : null,
    h('p', 'v-dim', {}, images.length === 1 ? '1 image' : `${images.length.toLocaleString('en-GB')} images`), cut ? h('p', 'p-gap', {}, cut) : null,
    h('ul', 'p-keys', {}, ...images.map((one, at) => h('li', '', {}, link(leaf, one, `Image ${at + 1}`, true)))),
    ...root.children.filter((one) => !one.reference && one.name?.value !== '113012' && one.relation !== 'HAS CONCEPT MOD').map((one) => line(leaf, one))));
  return HANDLE(leaf.body);
}

function standing(set: Dataset): HTMLElement {
  const { tone, words } = standingOf(set);
  return h('p', `p-standing p-${tone}`, {}, icon(tone === 'ok' ? 'ok' : 'warn'), words.join(' \u00b7 '));
}

function page(leaf: Leaf, top: HTMLElement, title = ''): HTMLElement {
  const { root, cut } = readTree(leaf.set);
  const article = h('article', 'p-page', {}, title ? h('h3', '', {}, title) : null, top, cut ? h('p', 'p-gap', {}, icon('warn'), cut) : null);
  if (root.children.length === 0) article.append(h('p', '', {}, text(leaf.set, '0040A160') ?? 'This document has no content.'));
  fill(leaf, article, root.children, 4);
  return article;
}

// Neighbouring measurements become one table; a container becomes a heading with what it holds.
function fill(leaf: Leaf, into: HTMLElement, nodes: Node[], level: number): void {
  for (let i = 0; i < nodes.length;) {
    const node = nodes[i] as Node;
    if (node.type === 'NUM') {
      let j = i;
      while (nodes[j]?.type === 'NUM') j += 1;
      into.append(measurements(leaf, nodes.slice(i, j)));
      i = j;
      continue;
    }
    i += 1;
    if (node.type !== 'CONTAINER') { into.append(line(leaf, node)); continue; }
    const section = h('section', 'p-section', {});
    if (node.name) section.append(h(`h${Math.min(level, 6)}` as 'h4', '', {}, node.name.meaning));
    fill(leaf, section, node.children, level + 1);
    into.append(section);
  }
}

function measurements(leaf: Leaf, nodes: Node[]): HTMLElement {
  const noted = nodes.some((one) => one.children.length > 0);
  const body = nodes.map((one) => {
    const cell = h('td', 'p-num', {}, quantity(one));
    return h('tr', '', {}, h('th', '', { scope: 'row' }, one.name?.meaning ?? 'Measurement'), cell, noted ? h('td', 'v-dim', {}, ...one.children.flatMap((child) => [aside(leaf, child), ' '])) : null);
  });
  return h('table', 'p-table', {}, h('thead', '', {}, h('tr', '', {}, ...['Measurement', 'Value', ...(noted ? ['Where and how'] : [])].map((word) => h('th', '', { scope: 'col' }, word)))), h('tbody', '', {}, ...body));
}

function line(leaf: Leaf, node: Node): HTMLElement {
  const row = h('div', node.type === 'TEXT' ? 'p-line p-text' : 'p-line', {}, node.name ? h('b', '', {}, node.name.meaning) : null, node.name ? ' ' : null,
    node.reference ? link(leaf, node, 'Image') : words(node));
  const [modifiers, below] = [node.children.filter((one) => MODIFIES.has(one.relation)), node.children.filter((one) => !MODIFIES.has(one.relation))];
  if (modifiers.length) row.append(' ', h('span', 'v-dim', {}, ...modifiers.flatMap((one) => [aside(leaf, one), ' '])));
  if (below.length) { const inner = h('div', 'p-below'); fill(leaf, inner, below, 6); row.append(inner); }
  return row;
}

function aside(leaf: Leaf, node: Node): HTMLElement {
  const inner = node.children.length ? h('span', '', {}, ' ', ...node.children.flatMap((one) => [aside(leaf, one), ' '])) : null;
  if (node.reference) return h('span', '', {}, link(leaf, node, node.name?.meaning ?? 'Image'), inner);
  return h('span', 'p-aside', {}, [node.name?.meaning, [node.value, node.unit].filter(Boolean).join(' ')].filter(Boolean).join(': '), inner);
}

function words(node: Node): string {
  return quantity(node) || (node.type === 'CONTAINER' ? '' : 'No value');
}

function link(leaf: Leaf, node: Node, name: string, pictured = false): HTMLElement {
  const reference = node.reference as ImageReference;
  const label = reference.frame !== null ? `${name}, frame ${reference.frame}` : name;
  if (!leaf.source.hasImage(reference)) return h('span', 'v-dim', {}, `${label}: ${reference.study === leaf.source.study ? 'not among the series shown here' : 'in another study'}`);
  const button = h('button', pictured ? 'p-key' : 'p-link', { type: 'button' }, pictured ? thumbnail(leaf, reference) : null, `${label}`);
  button.addEventListener('click', () => { leaf.source.openImage(reference); });
  return button;
}

function thumbnail(leaf: Leaf, { study, series, instance }: ImageReference): HTMLElement {
  const image = h('img', '', { src: `${path.instance({ base: leaf.source.base, study, series }, instance)}/thumbnail`, alt: '', loading: 'lazy', width: 128, height: 128 });
  image.addEventListener('error', () => image.remove());
  return image;
}

function table(head: string[], rows: string[][]): HTMLElement {
  return h('table', 'p-table', {}, head.length ? h('thead', '', {}, h('tr', '', {}, ...head.map((word) => h('th', '', { scope: 'col' }, word)))) : null,
    h('tbody', '', {}, ...rows.map(([first = '', ...rest]) => h('tr', '', {}, h('th', '', { scope: 'row' }, first), ...rest.map((value) => h('td', 'p-num', {}, value))))));
}
