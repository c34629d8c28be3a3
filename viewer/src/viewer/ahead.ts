// What a study needs before anything else: its outline, and the first image of its first series. A page opened at a
// study's own address runs this from its head, before its list and its controls are there; they find it under way.
import { type Early, readEarly } from './early';
import { prepareCanvas } from './picture';
import { type Outline, type OutlineSeries, type Request, fetchFirst, fetchOutline, firstSeries } from './outline';

export interface Ahead {
  outline: Promise<Outline>;
  /** The first image of that series, if it is the one that the study opens with. */
  early(series: OutlineSeries): Promise<Early | null> | null;
  /** Settled when that image is painted, or will not be. */
  picture: Promise<unknown>;
  abort: AbortController;
}

let begun: { request: Request; ahead: Ahead } | null = null;

/** What is under way for this request, or begun now. Given out once: whoever opens the study again asks again. */
export function ahead(request: Request): Ahead {
  const earlier = begun;
  begun = null;
  if (earlier && (Object.keys(request) as (keyof Request)[]).every((key) => earlier.request[key] === request[key])) return earlier.ahead;
  earlier?.ahead.abort.abort();
  return begin(request);
}

function begin(request: Request): Ahead {
  const abort = new AbortController();
  const outline = fetchOutline(request, abort.signal);
  const file = fetchFirst(request, abort.signal);
  const image = Promise.all([file, outline]).then(([found, read]) => {
    const series = firstSeries(read.series);
    if (!found || !series) return null;
    return readEarly(found, '', { base: read.dicomweb, study: read.study.uid, series: series.uid }, request.patient, abort.signal);
  });
  const early = image.catch(() => null); // whoever waits for the outline is told; an image that does not come early comes later
  let first: OutlineSeries | undefined;
  outline.then((read) => { first = firstSeries(read.series); }, () => undefined);
  return { outline, abort, picture: early, early: (series) => (series.uid === first?.uid ? early : null) };
}

const named = globalThis.document?.querySelector<HTMLMetaElement>('meta[name="opening"]')?.content;
if (named) {
  const request = JSON.parse(named) as Request;
  begun = { request, ahead: begin(request) };
  prepareCanvas();
}
