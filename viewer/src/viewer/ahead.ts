// What a study needs before anything else: its outline, and the first image of its first series. A page opened at a
// study's own address runs this from its head, before its list and its controls are there; they find it under way.
import { type Early, earlyImage } from './early';
import { type Outline, type OutlineSeries, type Request, fetchOutline, firstSeries, isDrawable } from './outline';

export interface Ahead {
  outline: Promise<Outline>;
  /** The first image of that series, if it is the one that the study opens with. */
  early(series: OutlineSeries): Promise<Early | null> | null;
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
  const image = outline.then((read) => {
    const series = firstSeries(read.series);
    return series && isDrawable(series)
      ? earlyImage({ base: read.dicomweb, study: read.study.uid, series: series.uid }, request.patient, series.count, abort.signal)
      : null;
  });
  image.catch(() => undefined); // whoever waits for the outline is told
  let first: OutlineSeries | undefined;
  outline.then((read) => { first = firstSeries(read.series); }, () => undefined);
  return { outline, abort, early: (series) => (series.uid === first?.uid ? image.catch(() => null) : null) };
}

const named = globalThis.document?.querySelector<HTMLMetaElement>('meta[name="opening"]')?.content;
if (named) {
  const request = JSON.parse(named) as Request;
  begun = { request, ahead: begin(request) };
}
