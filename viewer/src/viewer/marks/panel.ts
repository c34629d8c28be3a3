// The list of a person's marks: what each says, and what may be done with it. Draws; does nothing itself.
import { h, icon } from '../ui/dom';
import './marks.css';
import type { DragTool } from '../ui/toolbar';
import type { Book } from './book';
import { KINDS, type Mark, WORDS } from './types';
import { linesOf } from './values';

export interface Wanted {
  tool: (tool: DragTool) => void; go: (mark: Mark) => void; rename: (mark: Mark) => void; remove: (mark: Mark) => void;
  save: () => void; file: () => void; picture: (identity: boolean) => void; close: () => void;
}

export class Panel {
  readonly #list = h('ul', 'v-marklist');
  readonly #line = h('p', 'v-dim v-markline', { role: 'status' });
  readonly #acts = h('div', 'v-markacts');
  readonly #tools = new Map<DragTool, HTMLButtonElement>();
  readonly element: HTMLElement;

  constructor(private readonly wanted: Wanted) {
    const close = h('button', 'v-btn v-btn-ico v-quiet', { type: 'button', 'aria-label': 'Close the list of marks' }, icon('x'));
    close.addEventListener('click', wanted.close);
    const tools = h('div', 'v-marktools', { role: 'group', 'aria-label': 'Measure' }, ...KINDS.map((kind) => {
      const button = h('button', 'v-btn v-btn-24', { type: 'button', 'aria-pressed': 'false', 'data-kind': kind }, WORDS[kind]);
      button.addEventListener('click', () => wanted.tool(kind));
      this.#tools.set(kind, button);
      return button;
    }));
    this.element = h('aside', 'v-marks', { 'aria-label': 'Marks' }, h('div', 'v-markhead', {}, h('h3', '', {}, 'Marks'), close), tools, this.#list, this.#acts, this.#line);
  }

  tool(active: DragTool): void {
    for (const [kind, button] of this.#tools) button.setAttribute('aria-pressed', String(kind === active));
  }

  show(book: Book, where: (mark: Mark) => string): void {
    this.#list.replaceChildren(...(book.marks.length ? book.marks.map((mark) => this.#row(mark, where(mark))) : [h('li', 'v-dim', {}, 'No marks of yours on this study.')]));
    this.#line.textContent = lineOf(book);
    this.#line.classList.toggle('v-bad', book.standing === 'failed');
    const focused = (document.activeElement as HTMLElement | null)?.dataset.act;
    this.#acts.replaceChildren(...this.#buttons(book));
    if (focused) this.#acts.querySelector<HTMLElement>(`[data-act="${focused}"]`)?.focus();
  }

  #row(mark: Mark, where: string): HTMLElement {
    const name = mark.name || WORDS[mark.kind];
    const go = h('button', 'v-markgo', { type: 'button' }, h('b', '', {}, name), h('span', '', {}, linesOf(mark.values).join(' \u00b7 ')), h('span', 'v-dim', {}, where));
    go.addEventListener('click', () => this.wanted.go(mark));
    const rename = h('button', 'v-btn v-btn-24 v-quiet', { type: 'button', 'aria-label': `Rename ${name}` }, 'Name');
    rename.addEventListener('click', () => this.wanted.rename(mark));
    const remove = h('button', 'v-btn v-btn-24 v-quiet', { type: 'button', 'aria-label': `Delete ${name}` }, icon('trash'));
    remove.addEventListener('click', () => this.wanted.remove(mark));
    return h('li', '', {}, go, rename, remove);
  }

  #buttons(book: Book): HTMLElement[] {
    const button = (act: string, words: string, run: () => void): HTMLElement => {
      const made = h('button', 'v-btn v-btn-24', { type: 'button', 'data-act': act }, words);
      made.addEventListener('click', run);
      return made;
    };
    const { report } = book;
    return [
      ...(book.standing === 'failed' ? [button('save', 'Try again', this.wanted.save)] : []),
      ...(report.may && book.marks.length > 0 && !(report.current && report.state) ? [button('file', `Write to ${report.archive}`, this.wanted.file)] : []),
      ...(book.mayExport !== 'off' ? [button('picture', 'Save picture', () => this.wanted.picture(false))] : []),
      ...(book.mayExport === 'with-identity' ? [button('named', 'Save picture with name', () => this.wanted.picture(true))] : []),
    ];
  }
}

function lineOf(book: Book): string {
  const { standing, report, sentence } = book;
  const first = { loading: 'Loading your marks', saving: 'Saving', unsaved: 'Not saved yet', failed: sentence, saved: 'Saved for you only.' }[standing];
  const written = report.current ? { waiting: `Being written to ${report.archive}.`, stored: `Written to ${report.archive} and read back.`, refused: `${report.archive} did not take them: they are saved for you only.` }[report.state] : undefined;
  return [first, standing === 'failed' ? '' : sentence, written ?? (standing === 'saved' ? report.why : '')].filter(Boolean).join(' ');
}
