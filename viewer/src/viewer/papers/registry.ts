// Things that are read, not scrolled: which of them can be opened here, and what one is given and gives back.
// Every reader is its own chunk: none of it is loaded before somebody opens such a series.
import type { OutlineSeries } from '../outline';
import type { SeriesPaths } from '../transfer/gateway';

/** An image that a paper points to, by the names DICOM gives it. `series` empty where the paper does not say. */
export interface ImageReference { study: string; series: string; instance: string; frame: number | null }

export interface PaperSource extends SeriesPaths {
  /** The patient key of the page; an answer for another one is refused. */
  patient: string;
  /** Says that everything is to be let go: the series was left or the study closed. */
  signal: AbortSignal;
  hospital: string;
  /** What the series is called in the study. */
  title: string;
  notForDiagnosis: string;
  /** Opens an image of this study. False where it is not in it. */
  openImage(reference: ImageReference): boolean;
  /** Whether that would work, without doing it. */
  hasImage(reference: ImageReference): boolean;
}

export interface PaperHandle { close(): void; print?(): void }

/** Rejects with a ViewerFault, or an AbortError. */
export interface Paper { open(host: HTMLElement, source: PaperSource): Promise<PaperHandle> }

/** The door to whatever reads this series; null where nothing does and its sentence is shown instead. */
export function paperOf(series: Pick<OutlineSeries, 'kind'>): (() => Promise<Paper>) | null {
  return series.kind === 'paper' ? () => import('./sheet').then(({ sheet }) => sheet) : null;
}
