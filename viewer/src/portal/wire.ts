// What is said to the receiver and what comes back. A fault is one of three: wait and try again, no room, or over.
export interface Standing { file: number; held: number; whole: boolean }
export interface Piece { file: number; at: number; bytes: ArrayBuffer }
export interface Taken { file: number; outcome: string; held: number; whole: boolean }
export interface Found { what: string; level: 'good' | 'care' | 'bad'; words: string; count: number }
export interface UploadState { upload: string; state: string; files: number; whole: number; bytes: number; received: number; checked: boolean; findings: Found[] }

export class Lost extends Error {}
export class NoRoom extends Error {}
/** The link, or this upload, takes nothing more. `words` is for the sender. */
export class Over extends Error {
  constructor(readonly words: string, readonly status: number) {
    super(words);
  }
}

export interface Wire {
  begin(): Promise<string>;
  announce(upload: string, files: { name: string; size: number; mark: string }[]): Promise<Standing[]>;
  send(upload: string, pieces: Piece[], signal: AbortSignal): Promise<Taken[]>;
  /** Numbers of files that are still missing; empty: it is handed over. */
  finish(upload: string, without: number[]): Promise<number[]>;
  state(): Promise<UploadState[]>;
}

export interface Talk extends Wire {
  /** What is damaged or missing will not come: those who asked decide whether the rest is enough. */
  cannot(): Promise<void>;
}

export function wire(token: string): Talk {
  const base = `/s/${token}`;
  const ask = async (path: string, options: RequestInit): Promise<{ status: number; body: Record<string, unknown> }> => {
    let response: Response;
    let body: Record<string, unknown> = {};
    try {
      response = await fetch(base + path, { credentials: 'same-origin', headers: { Accept: 'application/json', ...options.headers }, ...options });
      body = (await response.json()) as Record<string, unknown>;
    } catch (error) {
      if (options.signal?.aborted) throw error;
      throw new Lost('no answer');
    }
    if (response.status === 507 && !body['pieces']) throw new NoRoom('no room');
    if (response.status === 429 || response.status >= 500) {
      if (!body['pieces']) throw new Lost('not now');
    } else if (response.status >= 400 && response.status !== 409) {
      const told = body['error'] as { title?: string; action?: string } | undefined;
      throw new Over([told?.title, told?.action].filter(Boolean).join(' ') || 'This link has ended.', response.status);
    }
    return { status: response.status, body };
  };
  const json = (value: unknown): RequestInit => ({ method: 'POST', body: JSON.stringify(value), headers: { 'Content-Type': 'application/json' } });
  return {
    begin: async () => (await ask('/uploads', json({}))).body['upload'] as string,
    announce: async (upload, files) => (await ask(`/uploads/${upload}/files`, json({ files }))).body['files'] as Standing[],
    send: async (upload, pieces, signal) => {
      const { body } = await ask(`/uploads/${upload}/pieces`, { method: 'POST', body: await framed(pieces), signal, headers: { 'Content-Type': 'application/octet-stream' } });
      if (!Array.isArray(body['pieces'])) throw new Lost('not now');
      return body['pieces'] as Taken[];
    },
    finish: async (upload, without) => {
      const { body } = await ask(`/uploads/${upload}/finish`, json({ without }));
      return (body['missing'] as number[] | undefined) ?? [];
    },
    cannot: async () => void (await ask('/cannot', json({}))),
    state: async () => (await ask('/state', {})).body['uploads'] as UploadState[],
  };
}

/** One line of JSON before each piece's bytes, with their hash. */
export async function framed(pieces: Piece[]): Promise<Blob> {
  const parts: BlobPart[] = [];
  for (const { file, at, bytes } of pieces) {
    parts.push(`${JSON.stringify({ file, at, bytes: bytes.byteLength, sha256: await hash(bytes) })}\n`, bytes);
  }
  return new Blob(parts);
}

async function hash(bytes: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
