// The reports of one study, as the server tells them: plain words in blocks, drawn as text nodes. An answer for another launch,
// patient or study is dropped.
import type { Request } from '../outline';
import { ViewerFault, getJson, isAbort } from '../transfer/gateway';
import { h } from '../ui/dom';

type Told = Record<string, unknown>;

const at = ({ launch, archive, study }: Request): string => `/l/${encodeURIComponent(launch)}/reports/${encodeURIComponent(archive)}/${encodeURIComponent(study)}`;

/** An element that fills itself when the reports are there. `signal` ends it with the study. */
export function reportPane(request: Request, signal: AbortSignal): HTMLElement {
  const root = h('div', 'v-reports', { 'aria-live': 'polite', 'aria-busy': 'true' }, h('p', 'v-dim', {}, 'Asking the chart for reports'));
  const load = (): void => {
    void ask(at(request), request, signal).then((told) => root.replaceChildren(...drawn(told, request, signal)), (error: unknown) => {
      if (!isAbort(error)) root.replaceChildren(...failed(error, load));
    }).finally(() => root.setAttribute('aria-busy', 'false'));
  };
  load();
  return root;
}

async function ask(url: string, request: Request, signal: AbortSignal): Promise<Told> {
  const told = record(await getJson(url, signal));
  if (told.launch !== request.launch || told.patient !== request.patient || told.study !== request.study) {
    throw new ViewerFault('mismatch', 'The answer was for another patient or study, so it was not shown.', 'Open the Images tab again from the patient\u2019s chart.', null, 0);
  }
  return told;
}

function drawn(told: Told, request: Request, signal: AbortSignal): Node[] {
  const sentence = words(told.sentence);
  return [
    ...(sentence ? [h('p', told.state === 'unread' ? 'v-rwarn' : 'v-rnone', {}, sentence)] : []),
    ...list(told.notes).map((note) => h('p', 'v-rwarn', {}, words(note))),
    ...list(told.reports).map((each) => article(record(each), request, signal)),
  ];
}

function article(one: Told, request: Request, signal: AbortSignal): HTMLElement {
  const body = h('div', 'v-rbody', {}, ...blocks(one.blocks));
  const mark = h('p', 'v-rmark', { 'data-tone': words(one.tone) }, h('b', '', {}, words(one.mark)), words(one.date) ? ` \u00b7 ${words(one.date)}` : '');
  const line = (text: unknown, name: string): HTMLElement | null => (words(text) ? h('p', name, {}, words(text)) : null);
  const root = h('article', 'v-report', { 'data-sure': one.sure === true }, mark, h('h3', '', {}, words(one.title)), one.sure === true ? null : line(one.why, 'v-rwarn'), line(one.superseded, 'v-rwarn'), line(one.said, 'v-rsaid'),
    body, ...list(one.papers).map((each) => paper(record(each), request, signal)), line(one.signed, 'v-dim'), one.sure === true ? line(one.why, 'v-dim') : null);
  return root;
}

// A document is asked for when somebody wants to read it: each reading is on the record.
function paper(one: Told, request: Request, signal: AbortSignal): HTMLElement {
  const title = words(one.title);
  const button = h('button', 'v-btn', { type: 'button' }, `Read: ${title}${title === words(one.kind) ? '' : ` (${words(one.kind)})`}`);
  const root = h('div', 'v-paper', { 'aria-live': 'polite' }, button);
  const url = `${at(request)}/${encodeURIComponent(words(one.id))}`;
  const load = (): void => {
    button.disabled = true;
    void ask(url, request, signal).then((told) => {
      if (told.kind === 'file') root.replaceChildren(h('a', 'v-rfile', { href: `${url}/file`, download: 'report.pdf' }, `Download ${title} (PDF)`));
      else root.replaceChildren(h('h4', '', {}, title), ...(words(told.sentence) ? [h('p', 'v-rwarn', {}, words(told.sentence))] : []), ...blocks(told.blocks));
    }, (error: unknown) => { if (!isAbort(error)) root.replaceChildren(...failed(error, load)); });
  };
  button.addEventListener('click', load);
  return root;
}

function failed(error: unknown, again: () => void): Node[] {
  const fault = error instanceof ViewerFault ? error : new ViewerFault('report', 'The report could not be shown.', 'Try again, or open it in the chart.', null, 0);
  const button = h('button', 'v-btn', { type: 'button' }, 'Try again');
  button.addEventListener('click', again);
  return [h('p', 'v-rwarn', {}, [fault.title, fault.action, fault.reference ? `Reference ${fault.reference}` : ''].filter(Boolean).join(' ')), button];
}

export function blocks(told: unknown): HTMLElement[] {
  return list(told).map(record).map((block) => {
    if (block.kind === 'heading') return h('h4', '', {}, words(block.text));
    if (block.kind === 'items') return h('ul', '', {}, ...list(block.items).map((item) => h('li', '', {}, words(item))));
    if (block.kind === 'table') return table(list(block.rows).map((row) => list(row).map(words)), Number(block.heads) || 0);
    return h('p', block.kind === 'note' ? 'v-rwarn' : '', {}, words(block.text));
  });
}

function table(rows: string[][], heads: number): HTMLElement {
  const row = (cells: string[], isHead: boolean): HTMLElement => h('tr', '', {}, ...cells.map((cell) => (isHead ? h('th', '', { scope: 'col' }, cell) : h('td', '', {}, cell))));
  return h('div', 'v-rtable', { tabindex: '0', role: 'group', 'aria-label': 'Table of the report' }, h('table', '', {}, ...rows.map((cells, index) => row(cells, index < heads))));
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function record(value: unknown): Told {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Told) : {};
}

function words(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
