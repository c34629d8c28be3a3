// The content of a structured report or key object note (PS3.3 C.17.3) as a tree that can be read. Pure. Bounded in depth
// and number: what lies beyond is counted and said, never dropped in silence.
import { type Dataset, items, number, numbers, personName, text } from '../../dicom/json';
import { clock, day } from '../../words';
import type { ImageReference } from '../registry';

export interface Code { value: string; scheme: string; meaning: string }
export interface Node {
  relation: string; type: string; name: Code | null;
  /** The value as a person reads it; a code by its meaning. */
  value: string; code: Code | null; unit: string;
  reference: ImageReference | null;
  children: Node[];
}
export interface Tree { root: Node; nodes: number; /** Why not all of it is here; empty when it is. */ cut: string }

export const MOST_NODES = 10_000;
export const MOST_DEPTH = 30;

/** Series and study of each instance that the document lists as its evidence. */
export function evidenceOf(set: Dataset): Map<string, { study: string; series: string }> {
  const found = new Map<string, { study: string; series: string }>();
  for (const tag of ['0040A375', '0040A385']) for (const study of items(set, tag)) for (const series of items(study, '00081115')) for (const one of items(series, '00081199')) {
    const instance = text(one, '00081155');
    if (instance) found.set(instance, { study: text(study, '0020000D') ?? '', series: text(series, '0020000E') ?? '' });
  }
  return found;
}

export function readTree(set: Dataset): Tree {
  const evidence = evidenceOf(set);
  const state = { nodes: 0, over: false, deep: false };
  const read = (item: Dataset, depth: number): Node => {
    state.nodes += 1;
    const node = readNode(item, evidence, text(set, '0020000D') ?? '');
    for (const child of items(item, '0040A730')) {
      if (depth >= MOST_DEPTH) { state.deep = true; break; }
      if (state.nodes >= MOST_NODES) { state.over = true; break; }
      node.children.push(read(child, depth + 1));
    }
    return node;
  };
  const root = read(set, 0);
  const cut = [state.over ? `Only the first ${MOST_NODES.toLocaleString('en-GB')} entries of this document are shown.` : '', state.deep ? 'Some of it is nested too deep and is not shown.' : ''].filter(Boolean).join(' ');
  return { root, nodes: state.nodes, cut };
}

export function codeOf(item: Dataset | undefined): Code | null {
  if (!item) return null;
  const value = text(item, '00080100') ?? text(item, '00080119') ?? text(item, '00080120') ?? '';
  const meaning = text(item, '00080104') ?? value;
  return meaning ? { value, scheme: text(item, '00080102') ?? '', meaning } : null;
}

function readNode(item: Dataset, evidence: ReturnType<typeof evidenceOf>, study: string): Node {
  const type = text(item, '0040A040') ?? '';
  const node: Node = {
    relation: text(item, '0040A010') ?? '', type, name: codeOf(items(item, '0040A043')[0]), value: '', code: null, unit: '', reference: null, children: [],
  };
  switch (type) {
    case 'TEXT': node.value = text(item, '0040A160') ?? ''; break;
    case 'CODE': node.code = codeOf(items(item, '0040A168')[0]); node.value = node.code?.meaning ?? ''; break;
    case 'PNAME': node.value = personName(item, '0040A123') ?? ''; break;
    case 'DATE': node.value = day(text(item, '0040A121')) ?? ''; break;
    case 'TIME': node.value = clock(text(item, '0040A122')) ?? ''; break;
    case 'DATETIME': node.value = moment(text(item, '0040A120')); break;
    case 'UIDREF': node.value = text(item, '0040A124') ?? ''; break;
    case 'NUM': Object.assign(node, measured(item)); break;
    case 'IMAGE': case 'COMPOSITE': case 'WAVEFORM': node.reference = referenceOf(item, evidence, study); break;
    case 'SCOORD': case 'SCOORD3D': node.value = `${(text(item, '00700023') ?? 'Region').toLowerCase()} of ${Math.ceil(numbers(item, '00700022').length / (type === 'SCOORD' ? 2 : 3))} points`; break;
    case 'TCOORD': node.value = (text(item, '0040A130') ?? 'Time range').toLowerCase(); break;
    case '': node.value = items(item, '0040A730').length ? '' : 'Refers to another entry of this document'; break;
  }
  return node;
}

function measured(item: Dataset): Pick<Node, 'value' | 'unit'> {
  const value = items(item, '0040A300')[0];
  const written = value ? text(value, '0040A30A') : undefined;
  if (!value || written === undefined) return { value: codeOf(items(item, '0040A301')[0])?.meaning ?? 'No value', unit: '' };
  const unit = codeOf(items(value, '004008EA')[0]);
  return { value: written.replace(/^-/, '\u2212'), unit: !unit || unit.value === '1' ? '' : unit.scheme === 'UCUM' && !unit.value.startsWith('{') ? unit.value : unit.meaning };
}

function referenceOf(item: Dataset, evidence: ReturnType<typeof evidenceOf>, study: string): ImageReference | null {
  const one = items(item, '00081199')[0];
  const instance = one && text(one, '00081155');
  if (!one || !instance) return null;
  const told = evidence.get(instance);
  return { study: told?.study || study, series: told?.series ?? '', instance, frame: number(one, '00081160') ?? null };
}

function moment(value: string | undefined): string {
  return value ? [day(value.slice(0, 8)), clock(value.slice(8))].filter(Boolean).join(' ') : '';
}

/** Every node, the root first. */
export function* walk(node: Node): Generator<Node> {
  yield node;
  for (const child of node.children) yield* walk(child);
}

/** The first descendant whose concept is one of these DCM codes. */
export function find(node: Node, ...codes: string[]): Node | undefined {
  for (const one of walk(node)) if (one.name && codes.includes(one.name.value)) return one;
  return undefined;
}
