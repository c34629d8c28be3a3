// Papers in viewports: opens one where a cell was given a series that is read, and lets go of it when the cell does.
import type { Cell } from '../cell';
import type { OutlineSeries } from '../outline';
import { ViewerFault } from '../transfer/gateway';
import { PaperPlace } from './place';
import { type ImageReference, paperOf } from './registry';

// Keys by which a page of text is moved; over a paper they are not the study's.
const MOVES = new Set(['ArrowUp', 'ArrowDown', 'PageUp', 'PageDown', 'Home', 'End', ' ']);

/** Whether a key belongs to the paper it was pressed on, and not to the study. */
export function isOfPaper(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement;
  return target.closest('.v-paper') !== null && (MOVES.has(event.key) || target.closest('.p-handle') !== null && event.key.startsWith('Arrow'));
}

export class PaperCells {
  readonly #places = new Map<Cell, PaperPlace>();
  readonly #wanted = new Map<Cell, ImageReference>();

  /** `fail`: how a fault that ends the launch is told. To be called for each new cell, before others listen to it. */
  watch(cell: Cell, ended: (fault: ViewerFault) => void): void {
    const place = new PaperPlace();
    this.#places.set(cell, place);
    cell.element.append(place.element);
    cell.on((what) => {
      if (what === 'leaving' || what === 'closed') this.#close(cell, place);
      if (what === 'series' && cell.series) this.#open(cell, place, cell.series, ended);
      if (what === 'shown') this.#goToWanted(cell);
    });
  }

  leave(cell: Cell): void {
    this.#places.get(cell)?.close();
    this.#places.delete(cell);
    this.#wanted.delete(cell);
  }

  destroy(): void {
    for (const cell of [...this.#places.keys()]) this.leave(cell);
  }

  #close(cell: Cell, place: PaperPlace): void {
    place.close();
    this.#wanted.delete(cell);
    cell.element.classList.remove('v-reading');
  }

  #open(cell: Cell, place: PaperPlace, series: OutlineSeries, ended: (fault: ViewerFault) => void): void {
    const load = paperOf(series);
    const source = cell.source;
    if (!load || !source) return;
    const { dicomweb, study, notForDiagnosis } = source.outline;
    cell.element.classList.add('v-reading');
    place.open(load, {
      base: dicomweb, study: study.uid, series: series.uid, patient: source.request.patient, hospital: study.hospital, title: series.description || series.word, notForDiagnosis,
      hasImage: (reference) => seriesOf(cell, reference) !== undefined, openImage: (reference) => this.#openImage(cell, reference),
    }, {
      done: () => cell.reads('paper'),
      failed: (error) => {
        cell.element.classList.remove('v-reading');
        const fault = error instanceof ViewerFault ? error : new ViewerFault('viewer', 'This could not be shown.', 'Try again, or open another series.', null, 0);
        if (fault.ended) ended(fault);
        else cell.tell(fault);
      },
    });
  }

  #openImage(cell: Cell, reference: ImageReference): boolean {
    const series = seriesOf(cell, reference);
    if (!series || !cell.source) return false;
    cell.open(cell.source, series);
    this.#wanted.set(cell, reference);
    cell.frame.element.focus();
    return true;
  }

  // An image that a paper points to is scrolled to once its series is there.
  #goToWanted(cell: Cell): void {
    const wanted = this.#wanted.get(cell);
    if (!wanted) return;
    this.#wanted.delete(cell);
    const at = cell.session?.images.findIndex((one) => one.instance === wanted.instance && (wanted.frame === null || one.frame === wanted.frame)) ?? -1;
    if (at >= 0) void cell.go(at);
    else cell.frame.note('The image that was pointed to is not among those of this series.');
  }
}

function seriesOf(cell: Cell, reference: ImageReference): OutlineSeries | undefined {
  const outline = cell.source?.outline;
  return outline && reference.study === outline.study.uid ? outline.series.find((each) => each.uid === reference.series && each.kind === 'images') : undefined;
}
