// The only place of the viewer that calls the server. Turns every failure into a ViewerFault that a person can read;
// holds no state. Paths come from the outline, and only same-origin ones are followed.
import { type Dataset, text } from '../dicom/json';
import type { Values } from '../dicom/pixels';
import { syntaxOf } from '../dicom/syntaxes';
import { MultipartSplitter, boundaryOf, splitAll } from './multipart';

/** One frame as stored. `values` where it needed no decoder and was read already: then there are no bytes. */
export interface Frame { syntax: string; bytes: Uint8Array<ArrayBuffer>; values?: Values }

/** One failure as shown: what happened, what to do, and the reference to quote. */
export class ViewerFault extends Error {
  constructor(readonly code: string, readonly title: string, readonly action: string, readonly reference: string | null, readonly status: number) {
    super(code);
  }

  /** The launch is over: everything about the patient has to leave the screen. */
  get ended(): boolean {
    return this.status === 401 || /session|launch/.test(this.code);
  }
}

export interface SeriesPaths { base: string; study: string; series: string }

export const path = {
  series: (p: SeriesPaths): string => `${p.base}/studies/${p.study}/series/${p.series}`,
  instance: (p: SeriesPaths, instance: string): string => `${path.series(p)}/instances/${instance}`,
  frame: (p: SeriesPaths, instance: string, frame: number): string => `${path.series(p)}/instances/${instance}/frames/${frame}`,
  rendered: (p: SeriesPaths, instance: string, frame: number): string =>
    `${path.series(p)}/instances/${instance}/frames/${frame}/rendered`,
};

const FRAME_AS_STORED = 'multipart/related; type="application/octet-stream"; transfer-syntax=*';
const FRAME_PLAIN = 'multipart/related; type="application/octet-stream"';
const FILE_AS_STORED = 'application/dicom; transfer-syntax=*';
const FILES_AS_STORED = 'multipart/related; type="application/dicom"; transfer-syntax=*';

/** Changes something at the server, with the page's own token. A 409 is an answer, not a failure: it says what is there now. */
export async function sendJson(method: 'PUT' | 'POST', url: string, content: unknown): Promise<{ status: number; body: unknown }> {
  const target = new URL(url, location.href);
  if (target.origin !== location.origin) throw unreadable();
  const token = document.querySelector<HTMLMetaElement>('meta[name=csrf]')?.content ?? '';
  const headers = { 'Content-Type': 'application/json', Accept: 'application/json', 'X-Priors-CSRF': token };
  const answer = await fetch(target, { method, headers, body: JSON.stringify(content), credentials: 'same-origin', redirect: 'error', keepalive: true })
    .catch(() => { throw new ViewerFault('unreachable', 'Priors could not be reached.', 'Check the network, then try again.', null, 0); });
  if (!answer.ok && answer.status !== 409) throw await readFault(answer);
  return { status: answer.status, body: await answer.json().catch(() => { throw unreadable(); }) };
}

export async function getJson(url: string, signal?: AbortSignal): Promise<unknown> {
  const answer = await call(url, null, signal); // no header of its own, or the head's preload of it would be asked for again
  return answer.json().catch(() => { throw unreadable(); });
}

/** Metadata of a series, or of one instance of it, and how many instances the gateway withheld. */
export async function getMetadata(
  p: SeriesPaths, signal?: AbortSignal, instance?: string,
): Promise<{ sets: Dataset[]; withheld: number; partial: boolean; patient: string | null }> {
  const answer = await call(`${instance ? path.instance(p, instance) : path.series(p)}/metadata`, 'application/dicom+json', signal);
  const sets: unknown = answer.status === 204 ? [] : await answer.json().catch(() => { throw unreadable(); });
  if (!Array.isArray(sets)) throw unreadable();
  const told = { withheld: Number(answer.headers.get('X-Priors-Withheld') ?? 0) || 0, patient: answer.headers.get('X-Priors-Patient') };
  return { sets: sets as Dataset[], partial: answer.status === 206, ...told };
}

/** The UID of the instance with this Instance Number; null when the archive names none, or more than one. */
export async function findNumbered(p: SeriesPaths, wanted: number, signal?: AbortSignal): Promise<string | null> {
  const answer = await call(`${path.series(p)}/instances?InstanceNumber=${wanted}&limit=2`, 'application/dicom+json', signal);
  const rows: unknown = answer.status === 204 ? [] : await answer.json().catch(() => { throw unreadable(); });
  return Array.isArray(rows) && rows.length === 1 ? (text(rows[0] as Dataset, '00080018') ?? null) : null;
}

/** One DICOM file as stored, and the patient whose page the gateway says it is for. */
export interface WholeFile { bytes: Uint8Array<ArrayBuffer>; patient: string | null }

export async function getFile(p: SeriesPaths, instance: string, signal?: AbortSignal): Promise<WholeFile> {
  return readFile(await call(path.instance(p, instance), FILE_AS_STORED, signal));
}

/** The file at a path that may have none to give. */
export async function getFileIfAny(url: string, signal?: AbortSignal): Promise<WholeFile | null> {
  const answer = await call(url, null, signal); // as `getJson`
  return answer.status === 204 ? null : readFile(answer);
}

async function readFile(answer: Response): Promise<WholeFile> {
  return { bytes: new Uint8Array(await answer.arrayBuffer()), patient: answer.headers.get('X-Priors-Patient') };
}

/** One frame as stored; asked for once more without `*` where an archive cannot give it as stored. */
export async function getFrame(p: SeriesPaths, instance: string, frame: number, signal?: AbortSignal): Promise<Frame> {
  const url = path.frame(p, instance, frame);
  try {
    return await readFrame(await call(url, FRAME_AS_STORED, signal));
  } catch (error) {
    if (!(error instanceof ViewerFault) || ![406, 415, 500, 502].includes(error.status)) throw error;
    return readFrame(await call(url, FRAME_PLAIN, signal));
  }
}

async function readFrame(answer: Response): Promise<Frame> {
  try {
    const type = answer.headers.get('Content-Type') ?? '';
    const part = splitAll(type, new Uint8Array(await answer.arrayBuffer()))[0];
    if (!part || part.body.length === 0) throw unreadable();
    return { syntax: syntaxOf(part.headers.get('content-type') ?? '', part.body), bytes: part.body };
  } catch (error) {
    if (isAbort(error)) throw error;
    throw error instanceof ViewerFault ? error : unreadable();
  }
}

/** A picture made by the server (JPEG): the quick look at what the browser cannot paint by itself yet. */
export async function getRendered(p: SeriesPaths, instance: string, frame: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const answer = await call(path.rendered(p, instance, frame), 'image/jpeg', signal);
  return new Uint8Array(await answer.arrayBuffer());
}

/** Streams a whole series; onFile gets each DICOM file's bytes as they complete. Rejects when the stream breaks. */
export async function streamSeries(p: SeriesPaths, onFile: (bytes: Uint8Array<ArrayBuffer>) => void, signal: AbortSignal): Promise<void> {
  const answer = await call(path.series(p), FILES_AS_STORED, signal);
  if (!answer.body) throw unreadable();
  const splitter = new MultipartSplitter(boundaryOf(answer.headers.get('Content-Type') ?? ''), (part) => onFile(part.body));
  const reader = answer.body.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) splitter.push(read.value);
  splitter.end();
}

export async function getBytes(url: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const answer = await call(url, 'multipart/related; type="application/octet-stream", application/octet-stream;q=0.9, */*;q=0.5', signal);
  const type = answer.headers.get('Content-Type') ?? '';
  const bytes = new Uint8Array(await answer.arrayBuffer());
  return /^multipart\//i.test(type) ? (splitAll(type, bytes)[0]?.body ?? bytes) : bytes;
}

async function call(url: string, accept: string | null, signal?: AbortSignal): Promise<Response> {
  const target = new URL(url, location.href);
  if (target.origin !== location.origin) throw new ViewerFault('not-approved', 'An address outside Priors was named, so nothing was asked there.', 'The image desk can find out why.', null, 0);
  let answer: Response;
  try {
    answer = await fetch(target, { headers: accept ? { Accept: accept } : {}, credentials: 'same-origin', redirect: 'error', signal: signal ?? null });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ViewerFault('unreachable', 'Priors could not be reached.', 'Check the network, then try again.', null, 0);
  }
  if (answer.ok) return answer;
  throw await readFault(answer);
}

async function readFault(answer: Response): Promise<ViewerFault> {
  const body: unknown = await answer.json().catch(() => null);
  const error = isRecord(body) && isRecord(body.error) ? body.error : {};
  const words = (key: string, otherwise: string): string => (typeof error[key] === 'string' && error[key] ? error[key] : otherwise);
  const wait = Number(answer.headers.get('Retry-After'));
  const busy = wait > 0 ? `Try again in ${wait} seconds.` : 'Try again in a moment.';
  const otherwise: Record<number, [string, string]> = {
    401: ['This session has ended.', 'Open the Images tab again from the patient\u2019s chart.'],
    404: ['It is not there any more.', 'Ask the image desk if you need it.'],
    503: ['The archive is busy.', busy],
  };
  const [title, action] = otherwise[answer.status] ?? ['The archive did not give a usable answer.', 'Try again, or phone their image library.'];
  return new ViewerFault(words('code', `http-${answer.status}`), words('title', title), words('action', action), words('reference', '') || null, answer.status);
}

function unreadable(): ViewerFault {
  return new ViewerFault('unreadable', 'The answer could not be read.', 'Try again, or phone their image library.', null, 0);
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
