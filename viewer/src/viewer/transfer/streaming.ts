// A whole series on its way to the page: read in a worker where there can be one, else here. Files that come before
// anybody takes them wait.
import { type Arrived, readArrived } from './arriving';
import { type SeriesPaths, ViewerFault, streamSeries } from './gateway';

export type Told = { arrived: Arrived } | { over: ConstructorParameters<typeof ViewerFault> | null };
export type Stream = (paths: SeriesPaths, onFile: (file: Arrived) => void, signal: AbortSignal) => Promise<void>;

/** Resolves when the stream is through; rejects with a ViewerFault when it breaks, with AbortError when it is given up. */
export const streamFiles: Stream = async (paths, onFile, signal) => {
  const worker = made();
  return worker ? inWorker(worker, paths, onFile, signal) : here(paths, onFile, signal);
};

function made(): Worker | null {
  try {
    return new Worker(new URL('./series.worker.ts', import.meta.url), { type: 'module' });
  } catch {
    return null;
  }
}

function inWorker(worker: Worker, paths: SeriesPaths, onFile: (file: Arrived) => void, signal: AbortSignal): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    let begun = false;
    signal.addEventListener('abort', () => reject(new DOMException('given up', 'AbortError')));
    worker.addEventListener('message', ({ data }: MessageEvent<Told>) => {
      begun = true;
      if ('arrived' in data) onFile(data.arrived);
      else if (data.over) reject(new ViewerFault(...data.over));
      else resolve();
    });
    // A worker that does not start (an older browser, a policy of the place) leaves the work to the page.
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      if (begun) reject(new ViewerFault('cut', '', '', null, 0));
      else resolve(here(paths, onFile, signal));
    });
    if (signal.aborted) reject(new DOMException('given up', 'AbortError'));
    else worker.postMessage(paths);
  }).finally(() => worker.terminate());
}

async function here(paths: SeriesPaths, onFile: (file: Arrived) => void, signal: AbortSignal): Promise<void> {
  const reading: Promise<void>[] = [];
  try {
    await streamSeries(paths, (file) => reading.push(readArrived(file).then(onFile, () => undefined)), signal);
  } finally {
    await Promise.all(reading);
  }
}

/** One stream, begun at once. */
export class Arrivals {
  readonly ended: Promise<void>;
  #early: Arrived[] = [];
  #take: ((file: Arrived) => void) | null = null;

  constructor(paths: SeriesPaths, signal: AbortSignal, stream: Stream = streamFiles) {
    this.ended = stream(paths, (file) => { if (this.#take) this.#take(file); else if (!signal.aborted) this.#early.push(file); }, signal);
    this.ended.catch(() => undefined); // whoever takes the files is told
    signal.addEventListener('abort', () => { this.#early = []; });
  }

  /** Every file from now on, those first that came before. */
  to(take: (file: Arrived) => void): void {
    const early = this.#early;
    this.#early = [];
    this.#take = take;
    early.forEach(take);
  }
}
