// The study as the server tells it: what there is, and for each series whether it can be drawn. Checked on arrival:
// an answer for another launch or patient than the page's is refused, whatever it holds.
import { day } from './words';
import { ViewerFault, type WholeFile, getFileIfAny, getJson } from './transfer/gateway';

export interface Request { launch: string; patient: string; archive: string; study: string }

export interface OutlineSeries {
  uid: string; number: string | null; modality: string; description: string; count: number | null;
  kind: 'images' | 'document' | 'paper'; word: string; sentence: string | null; thumbnail: string | null;
}

export interface Outline {
  study: { uid: string; title: string; on: string; date: string; when: string; hospital: string; outside: boolean; images: number | null;
    patient: { name: string; born: string; sex: string; id: string } };
  series: OutlineSeries[];
  /** What is known to be missing from this study, a sentence each. */
  gaps: string[];
  dicomweb: string;
  notForDiagnosis: string;
  /** Other viewers for this study: addresses of our own, which record it and send on. */
  elsewhere: { name: string; href: string }[];
}

const at = ({ launch, archive, study }: Request): string => `/l/${encodeURIComponent(launch)}/outline/${encodeURIComponent(archive)}/${encodeURIComponent(study)}`;

export async function fetchOutline(request: Request, signal: AbortSignal): Promise<Outline> {
  return readOutline(await getJson(at(request), signal), request);
}

/** The file of the image that the study opens with, where there is a quick way to it. */
export function fetchFirst(request: Request, signal: AbortSignal): Promise<WholeFile | null> {
  return getFileIfAny(`${at(request)}/first`, signal);
}

export function readOutline(answer: unknown, request: Request): Outline {
  const body = record(answer);
  const study = record(body.study);
  if (body.launch !== request.launch || body.patient !== request.patient || study.uid !== request.study) {
    throw new ViewerFault('mismatch', 'The answer was for another patient or study, so it was not shown.', 'Open the Images tab again from the patient\u2019s chart.', null, 0);
  }
  const patient = record(study.patient);
  return {
    study: {
      uid: request.study, title: words(study.title) || 'Untitled study', on: ordinal(words(study.date)), date: day(words(study.date)) ?? '', when: ago(words(study.when)), hospital: words(study.hospital),
      outside: study.outside === true, images: typeof study.images === 'number' ? study.images : null,
      patient: { name: words(patient.name), born: words(patient.born), sex: words(patient.sex), id: words(patient.id) },
    },
    series: (Array.isArray(body.series) ? body.series : []).map(record).filter((each) => words(each.uid)).map(readSeries),
    gaps: (Array.isArray(body.gaps) ? body.gaps : []).map(words).filter(Boolean),
    dicomweb: words(body.dicomweb), notForDiagnosis: typeof body.notForDiagnosis === 'string' ? words(body.notForDiagnosis) : 'Not for primary diagnosis on this display', // empty: the site hides it
    elsewhere: (Array.isArray(body.elsewhere) ? body.elsewhere : []).map(record).map((one) => ({ name: words(one.name), href: words(one.href) })).filter((one) => one.name && one.href.startsWith(`/l/${request.launch}/elsewhere/`)),
  };
}

function readSeries(each: Record<string, unknown>): OutlineSeries {
  return {
    uid: words(each.uid), number: words(each.number) || null, modality: words(each.modality), description: words(each.description),
    count: typeof each.count === 'number' ? each.count : null, kind: each.kind === 'document' || each.kind === 'paper' ? each.kind : 'images',
    word: words(each.word), sentence: words(each.sentence) || null, thumbnail: words(each.thumbnail) || null,
  };
}

/** True when the series is tried as pictures: an unknown kind is, and its sentence says so. */
export function isDrawable(series: OutlineSeries): boolean {
  return series.kind === 'images';
}

/** The series to open first: the first with pictures that is not a localizer; if all are, the first. */
export function firstSeries(series: OutlineSeries[]): OutlineSeries | undefined {
  const drawable = series.filter(isDrawable);
  const localizer = /\b(scout|locali[sz]er|topogram|surview|scanogram|survey)\b/i;
  return drawable.find((each) => !localizer.test(each.description)) ?? drawable[0] ?? series[0];
}

/** Year, month and day as digits that sort; empty where the date is not known to the day. The server writes "3 Aug 2026", files "20260803". */
export function ordinal(date: string): string {
  const found = /^(\d{1,2}) ([A-Z][a-z]{2}) (\d{4})$/.exec(day(date) ?? '');
  const month = found ? 'JanFebMarAprMayJunJulAugSepOctNovDec'.indexOf(found[2] as string) / 3 + 1 : 0;
  return found && Number.isInteger(month) && month > 0 ? `${found[3]}${String(month).padStart(2, '0')}${(found[1] as string).padStart(2, '0')}` : '';
}

function ago(when: string): string {
  return /^\d/.test(when) && /\b(days?|months?|[ym])$/.test(when) ? `${when} ago` : when;
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function words(value: unknown): string {
  return typeof value === 'string' ? value.trim() : typeof value === 'number' ? String(value) : '';
}
