// One series of papers: asks for what it holds, says whose each is by its own file, and hands each to its reader.
import './papers.css';
import { readHead } from '../dicom/images';
import { type Dataset, number, text } from '../dicom/json';
import { ViewerFault, getMetadata } from '../transfer/gateway';
import { h, icon } from '../ui/dom';
import { clock, day } from '../words';
import { type PrintOut, printOut } from './printing';
import type { Paper, PaperHandle, PaperSource } from './registry';
import { readerOf, titleOf } from './readers';

/** What a reader is given: one instance, and where to draw and put its own controls. */
export interface Leaf { set: Dataset; instance: string; source: PaperSource; body: HTMLElement; tools: HTMLElement; note: (words: string) => void }
export interface LeafHandle { close(): void; /** Which way the printed sheet lies. */ print: 'upright' | 'across' }

export const sheet: Paper = {
  async open(host: HTMLElement, source: PaperSource): Promise<PaperHandle> {
    const told = await getMetadata(source, source.signal);
    if (told.patient !== source.patient) throw mismatch();
    const sets = told.sets.filter((set) => text(set, '00080018')).sort((a, b) => (number(a, '00200013') ?? Infinity) - (number(b, '00200013') ?? Infinity) || 0);
    if (sets.length === 0) {
      throw told.withheld > 0
        ? new ViewerFault('withheld', 'Everything in this series was withheld: it names another patient or study than this one.', 'The image desk was told.', null, 0)
        : new ViewerFault('empty', 'The archive gave nothing of this series.', 'Ask them if you expected something.', null, 0);
    }
    const view = new SheetView(host, source, sets, missing(told));
    await view.show(0);
    return { close: () => view.close(), print: () => view.print() };
  },
};

export function mismatch(): ViewerFault {
  return new ViewerFault('mismatch', 'The answer was for another patient, so it was not shown.', 'Open the Images tab again from the patient\u2019s chart.', null, 0);
}

function missing(told: { withheld: number; partial: boolean }): string[] {
  return [
    told.withheld > 0 ? `${told.withheld} of this series ${told.withheld === 1 ? 'was' : 'were'} withheld: another patient or study is named.` : '',
    told.partial ? 'The archive did not list all of this series.' : '',
  ].filter(Boolean);
}

class SheetView {
  #handle: LeafHandle | null = null;
  #abort = new AbortController();
  #print: PrintOut | null = null;
  #turn = 0;

  constructor(private readonly host: HTMLElement, private readonly source: PaperSource, private readonly sets: Dataset[], private readonly gaps: string[]) {}

  async show(at: number): Promise<void> {
    const set = this.sets[at];
    if (!set) return;
    this.#leave();
    const turn = ++this.#turn;
    const abort = this.#abort = new AbortController();
    this.source.signal.addEventListener('abort', () => abort.abort(), { once: true });
    const body = h('div', 'p-body', { tabindex: 0, role: 'region', 'aria-label': titleOf(set) });
    const tools = h('div', 'p-tools', { role: 'toolbar', 'aria-label': 'What is shown' });
    const note = h('p', 'p-note', { role: 'status' });
    const print = h('button', 'v-btn', { type: 'button' }, 'Print');
    print.addEventListener('click', () => this.print());
    this.host.replaceChildren(this.#banner(set), h('div', 'p-bar', {}, this.#choice(at), tools, print), ...this.gaps.map((words) => h('p', 'p-gap', {}, icon('warn'), words)), note, body);
    const reader = await readerOf(set);
    if (turn !== this.#turn || abort.signal.aborted) throw new DOMException('left', 'AbortError');
    const handle = await reader({ set, instance: text(set, '00080018') ?? '', source: { ...this.source, signal: abort.signal }, body, tools, note: (words) => { note.textContent = words; } });
    if (turn !== this.#turn || abort.signal.aborted) { handle.close(); throw new DOMException('left', 'AbortError'); }
    this.#handle = handle;
    if (!tools.childElementCount) tools.remove();
  }

  // Whose it is, as this very file says: never the chart's name over somebody else's paper.
  #banner(set: Dataset): HTMLElement {
    const head = readHead(set);
    const when = [day(text(set, '00080023') ?? head.date), clock(text(set, '00080033') ?? head.time)].filter(Boolean).join(' ');
    return h('header', 'p-head', {},
      h('p', 'p-who', {}, h('bdi', 'p-name', {}, head.name ?? 'No name in the file'), h('span', '', {}, `Born ${day(head.born) ?? 'not given'}`),
        head.sex ? h('span', '', {}, head.sex) : null, h('span', '', {}, 'ID ', h('bdi', '', {}, head.id ?? 'not given'))),
      h('p', 'p-what', {}, h('b', '', {}, titleOf(set)), h('span', '', {}, when || 'No date'), h('span', '', {}, this.source.hospital)));
  }

  #choice(at: number): HTMLElement | null {
    if (this.sets.length < 2) return null;
    const select = h('select', 'p-select', { 'aria-label': `Which of ${this.sets.length}` }, ...this.sets.slice(0, 500).map((set, index) =>
      h('option', '', { value: index, selected: index === at }, `${index + 1} of ${this.sets.length} \u00b7 ${titleOf(set)}`)));
    select.addEventListener('change', () => { this.show(Number(select.value)).catch((error: unknown) => this.#failed(error)); });
    return select;
  }

  #failed(error: unknown): void {
    if (error instanceof DOMException) return;
    const fault = error instanceof ViewerFault ? error : null;
    this.host.querySelector('.p-body')?.replaceChildren(h('div', 'p-fault', { role: 'alert' }, icon('warn'), h('b', '', {}, fault?.title ?? 'This could not be shown.'), h('span', '', {}, fault?.action ?? 'Try again.')));
  }

  print(): void {
    this.#print?.remove();
    this.#print = printOut(this.host, this.#handle?.print ?? 'upright', this.source.notForDiagnosis);
  }

  #leave(): void {
    this.#abort.abort();
    this.#handle?.close();
    this.#handle = null;
    this.#print?.remove();
    this.#print = null;
  }

  close(): void {
    this.#turn += 1;
    this.#leave();
  }
}
