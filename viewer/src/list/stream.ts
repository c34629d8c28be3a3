// Asks the server for the list and hands on only what belongs to this launch and this patient.
import { EventSplitter } from './sse';

export interface RowEvent {
  readonly uid: string;
  readonly sort: string;
  readonly html: string;
}
export interface StripEvent {
  readonly tone: string;
  readonly none_found: boolean;
  readonly html: string;
  readonly notes_html: string;
  readonly answered: number;
  readonly asked: number;
  /** What the rows' relevance is about; empty: nothing is known of it. */
  readonly relevant_to?: string;
}
export interface Whose {
  readonly launch: string;
  readonly patient: string;
}
export interface Listener {
  /** `gone` names rows that are no longer in the list. */
  rows(rows: readonly RowEvent[], gone: readonly string[]): void;
  strip(strip: StripEvent): void;
  /** `complete` is false when the connection broke before the server said `done`. */
  finished(complete: boolean): void;
  /** The session is over, or was never this browser's. */
  ended(): void;
}

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** True only when the answer names the page's own launch and patient. Anything else is dropped unseen. */
export function belongs(data: unknown, whose: Whose): data is Record<string, unknown> {
  if (typeof data !== 'object' || data === null) return false;
  const record = data as Record<string, unknown>;
  return record['launch'] === whose.launch && record['patient'] === whose.patient;
}

export function dispatch(event: string, text: string, whose: Whose, listener: Listener): 'done' | 'read' | 'dropped' {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return 'dropped';
  }
  if (!belongs(data, whose)) return 'dropped';
  if (event === 'rows' && Array.isArray(data['rows'])) listener.rows(data['rows'] as RowEvent[], Array.isArray(data['gone']) ? data['gone'].map(String) : []);
  else if (event === 'strip') listener.strip(data as unknown as StripEvent);
  else if (event === 'done') return 'done';
  else if (event === 'ended') listener.ended();
  else return 'dropped';
  return 'read';
}

export async function ask(url: string, whose: Whose, listener: Listener, signal: AbortSignal, fetcher: Fetch = fetch): Promise<void> {
  let complete = false;
  try {
    const answer = await fetcher(url, { headers: { Accept: 'text/event-stream' }, credentials: 'same-origin', cache: 'no-store', signal });
    if (answer.status === 401 || answer.status === 404) return listener.ended();
    const type = answer.headers.get('content-type') ?? '';
    if (!answer.ok || !answer.body || !type.startsWith('text/event-stream')) return listener.finished(false);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    const splitter = new EventSplitter();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      for (const message of splitter.push(value)) {
        if (dispatch(message.event, message.data, whose, listener) === 'done') complete = true;
      }
    }
  } catch {
    // network loss or our own abort: `finished(false)` says so, unless we asked for it
  }
  if (!signal.aborted) listener.finished(complete);
}
