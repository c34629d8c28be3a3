// A person's marks while a study is open: what is on the screen, what is kept, and the list of it. Loaded after the first image.
import type { Cell, Source } from '../cell';
import { h } from '../ui/dom';
import type { DragTool } from '../ui/toolbar';
import { marksOn, onChange, putOn, rename, select, take } from './annotations';
import { Book } from './book';
import { askWords } from './naming';
import { Panel } from './panel';
import { linesUnder, pictureOf } from './picture';
import type { Mark } from './types';

const SETTLED_MS = 250;
const LOOK_MS = 3000;

export interface Desk { root: HTMLElement; cells: () => readonly Cell[]; inUse: () => Cell; use: (tool: DragTool) => void; shown: (on: boolean) => void }

export class Marks {
  readonly #books = new Map<Source, Book>();
  readonly #panel: Panel;
  readonly #stop: () => void;
  #timer = 0;
  #look = 0;

  constructor(private readonly desk: Desk) {
    this.#panel = new Panel({
      tool: (tool) => desk.use(tool), go: (mark) => void this.#go(mark), rename: (mark) => void this.#rename(mark), remove: (mark) => this.#remove(mark),
      save: () => void this.#book()?.save(), file: () => void this.#file(), picture: (identity) => void this.#picture(identity), close: () => this.toggle(false),
    });
    this.#stop = onChange(() => { window.clearTimeout(this.#timer); this.#timer = window.setTimeout(() => this.gather(), SETTLED_MS); });
  }

  /** To be called when a series is on the screen and its tools are there: puts its marks on. */
  async shown(cell: Cell): Promise<void> {
    const { source, series } = cell;
    if (!source || !series) return;
    let book = this.#books.get(source);
    if (!book) {
      book = new Book(source.request, () => this.#draw());
      this.#books.set(source, book);
      await book.load();
    }
    if (cell.live && cell.series === series && cell.source === source) putOn(cell.live, book.marks.filter((mark) => mark.series === series.uid));
    this.#draw();
  }

  /** Takes over what is on the screen; to be called also before a series leaves it. */
  gather(): void {
    window.clearTimeout(this.#timer);
    for (const cell of this.desk.cells()) {
      const book = cell.source ? this.#books.get(cell.source) : undefined;
      if (book && book.standing !== 'loading' && cell.live && cell.series) book.put(cell.series.uid, marksOn(cell.live, cell.series.uid));
    }
    this.#draw();
  }

  get isOpen(): boolean {
    return this.#panel.element.isConnected;
  }

  toggle(on = !this.isOpen): void {
    if (on) this.desk.root.append(this.#panel.element);
    else this.#panel.element.remove();
    this.desk.shown(on);
    this.#draw();
  }

  tool(active: DragTool): void {
    this.#panel.tool(active);
  }

  #book(): Book | undefined {
    const { source } = this.desk.inUse();
    return source ? this.#books.get(source) : undefined;
  }

  #draw(): void {
    const book = this.#book();
    if (!book || !this.isOpen) return;
    this.#panel.show(book, (mark) => {
      const series = this.desk.inUse().source?.outline.series.find(({ uid }) => uid === mark.series);
      return series ? `Series ${series.number ?? ''} ${series.description}`.trim() : 'Another series';
    });
  }

  async #go(mark: Mark): Promise<void> {
    const cell = this.desk.inUse();
    const series = cell.source?.outline.series.find(({ uid }) => uid === mark.series);
    if (!cell.source || !series) return;
    if (cell.series !== series) {
      await new Promise<void>((resolve) => {
        const stop = cell.on((what) => { if (what === 'shown' || what === 'failed') { stop(); resolve(); } });
        cell.open(cell.source as Source, series);
      });
    }
    const index = cell.session?.images.findIndex((image) => image.instance === mark.instance && image.frame === mark.frame) ?? -1;
    if (index >= 0) await cell.go(index);
    if (cell.live) select(cell.live, mark.id);
    cell.frame.element.focus();
  }

  async #rename(mark: Mark): Promise<void> {
    const name = await askWords(mark.name, 'Name of the mark');
    if (name === null) return;
    this.#book()?.rename(mark.id, name);
    for (const cell of this.desk.cells()) if (cell.live) rename(cell.live, mark.id, name);
  }

  #remove(mark: Mark): void {
    for (const cell of this.desk.cells()) if (cell.live) take(cell.live, mark.id);
    this.#book()?.remove(mark.id);
    this.#panel.element.querySelector<HTMLElement>('button')?.focus();
  }

  async #file(): Promise<void> {
    const book = this.#book();
    await book?.file();
    window.clearInterval(this.#look);
    this.#look = window.setInterval(() => {
      if (book?.report.current && book.report.state === 'waiting') void book.look();
      else window.clearInterval(this.#look);
    }, LOOK_MS);
  }

  async #picture(identity: boolean): Promise<void> {
    const cell = this.desk.inUse();
    const { image, series, source } = cell;
    const book = this.#book();
    if (!image || !series || !source || !book || !cell.live) { cell.frame.note('No image is in view'); return; }
    try {
      await book.recordPicture(series.uid, image.instance, image.frame, identity);
      const { hospital, date, patient } = source.outline.study;
      const blob = await pictureOf(cell, linesUnder(hospital, date, identity ? patient : null));
      if (cell.image !== image) { cell.frame.note('Another image came into view: nothing was saved'); return; }
      const url = URL.createObjectURL(blob);
      h('a', '', { href: url, download: 'image.png' }).click();
      window.setTimeout(() => URL.revokeObjectURL(url), 10_000);
      cell.frame.note('Picture saved. A name may be part of the image itself: look before you pass it on.');
    } catch {
      cell.frame.note('The picture could not be recorded, so it was not made.');
    }
  }

  destroy(): void {
    this.gather();
    for (const book of this.#books.values()) void book.save();
    this.#stop();
    window.clearTimeout(this.#timer);
    window.clearInterval(this.#look);
    this.#panel.element.remove();
  }
}
