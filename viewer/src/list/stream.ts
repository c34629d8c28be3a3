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
  /** `gone` names rows that are no longer in the list; `whole`: what is not among `rows` is gone too. */
  rows(rows: readonly RowEvent[], gone: readonly string[], whole?: boolean): void;
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

/** The stream had to end while sources were still asked: when and with what to come back. */
export interface Later {
  readonly after: number;
  readonly query: string;
}

export function dispatch(event: string, text: string, whose: Whose, listener: Listener): 'done' | 'read' | 'dropped' | Later {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return 'dropped';
  }
  if (!belongs(data, whose)) return 'dropped';
  if (event === 'rows' && Array.isArray(data['rows'])) listener.rows(data['rows'] as RowEvent[], Array.isArray(data['gone']) ? data['gone'].map(String) : [], data['all'] === true);
  else if (event === 'strip') listener.strip(data as unknown as StripEvent);
  else if (event === 'later' && typeof data['after'] === 'number' && typeof data['since'] === 'string' && Array.isArray(data['asking'])) {
    const query = new URLSearchParams([['since', data['since']], ...data['asking'].map((key) => ['asking', String(key)])]);
    return { after: data['after'], query: String(query) };
  } else if (event === 'done') return 'done';
  else if (event === 'ended') listener.ended();
  else return 'dropped';
  return 'read';
}

/** Asks, and comes back for the rest as often as the server says that there is more to come. */
export async function ask(url: string, whose: Whose, listener: Listener, signal: AbortSignal, fetcher: Fetch = fetch): Promise<void> {
  let complete = false;
  const told = new Set<string>();
  const all: Listener = {
    ...listener,
    strip: (strip) => listener.strip(strip),
    ended: () => listener.ended(),
    rows: (rows, gone, whole) => {
      // A later answer tells everything that there is: what it does not name is gone.
      const missing = whole ? [...told].filter((uid) => !rows.some((row) => row.uid === uid)) : gone;
      rows.forEach((row) => told.add(row.uid));
      missing.forEach((uid) => told.delete(uid));
      listener.rows(rows, missing);
    },
  };
  try {
    for (let address: string | null = url; address !== null; ) {
      const result: 'done' | 'ended' | 'broken' | Later = await once(address, whose, all, signal, fetcher);
      if (result === 'ended') return;
      if (typeof result === 'string') {
        complete = result === 'done';
        break;
      }
      await pause(result.after, signal);
      address = `${url.split('?')[0]}?${result.query}`;
    }
  } catch {
    // network loss or our own abort: `finished(false)` says so, unless we asked for it
  }
  if (!signal.aborted) listener.finished(complete);
}

async function once(url: string, whose: Whose, listener: Listener, signal: AbortSignal, fetcher: Fetch): Promise<'done' | 'ended' | 'broken' | Later> {
  const answer = await fetcher(url, { headers: { Accept: 'text/event-stream' }, credentials: 'same-origin', cache: 'no-store', signal });
  if (answer.status === 401 || answer.status === 404) {
    listener.ended();
    return 'ended';
  }
  const type = answer.headers.get('content-type') ?? '';
  if (!answer.ok || !answer.body || !type.startsWith('text/event-stream')) return 'broken';
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  const splitter = new EventSplitter();
  let result: 'done' | 'broken' | Later = 'broken';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return result;
    for (const message of splitter.push(value)) {
      const said = dispatch(message.event, message.data, whose, listener);
      if (said === 'done' || typeof said === 'object') result = said;
    }
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new DOMException('aborted', 'AbortError'));
    });
  });
}
