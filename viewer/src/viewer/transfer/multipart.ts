// Splits a multipart/related answer while it streams. Knows nothing of DICOM or of fetch: bytes in, parts out.
// Trusts no header: a Content-Length that does not end at a boundary is an error, never a shifted part.

export interface Part {
  headers: Map<string, string>;
  body: Uint8Array<ArrayBuffer>;
}

export class MultipartError extends Error {}

const MAX_HEADERS = 16 * 1024;
const MAX_PART = 1 << 30;
const CR = 13;

/** The boundary of a Content-Type such as `multipart/related; boundary="x"; type="…"`. Throws when there is none. */
export function boundaryOf(contentType: string): string {
  const found = /;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType);
  const boundary = found?.[1] ?? found?.[2];
  if (!/^multipart\//i.test(contentType.trim()) || !boundary) throw new MultipartError('the answer is not multipart');
  return boundary;
}

type State = 'preamble' | 'headers' | 'counted' | 'scanned' | 'between' | 'done';

export class MultipartSplitter {
  #state: State = 'preamble';
  #held: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #body: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #filled = 0;
  #headers = new Map<string, string>();
  readonly #delimiter: Uint8Array<ArrayBuffer>;

  constructor(boundary: string, private readonly onPart: (part: Part) => void) {
    this.#delimiter = new TextEncoder().encode(`\r\n--${boundary}`);
  }

  /** True once the closing delimiter was read. */
  get complete(): boolean {
    return this.#state === 'done';
  }

  /** Feeds bytes; calls onPart for every part that they complete. Throws MultipartError on nonsense. */
  push(chunk: Uint8Array): void {
    let rest: Uint8Array = this.#held.length ? join(this.#held, chunk) : chunk;
    this.#held = new Uint8Array(0);
    for (;;) {
      const next = this.#step(rest);
      if (next === null) return;
      rest = next;
    }
  }

  /** Says that the stream ended. Throws when that was before the closing delimiter. */
  end(): void {
    if (this.#state !== 'done') throw new MultipartError('the answer was cut short');
  }

  /** Consumes what it can; returns what is left to look at again, or null when more bytes are needed. */
  #step(rest: Uint8Array): Uint8Array | null {
    switch (this.#state) {
      case 'preamble': return this.#preamble(rest);
      case 'between': return this.#between(rest);
      case 'headers': return this.#readHeaders(rest);
      case 'counted': return this.#counted(rest);
      case 'scanned': return this.#scanned(rest);
      case 'done': return null;
    }
  }

  #hold(rest: Uint8Array): null {
    this.#held = rest.slice();
    return null;
  }

  #preamble(rest: Uint8Array): Uint8Array | null {
    const bare = this.#delimiter.subarray(2);
    if (rest.length < bare.length) return this.#hold(rest);
    if (matches(rest, bare, 0)) {
      this.#state = 'between';
      return rest.subarray(bare.length);
    }
    const at = find(rest, this.#delimiter);
    if (at < 0) {
      if (rest.length > MAX_HEADERS) throw new MultipartError('no boundary at the start');
      return this.#hold(rest);
    }
    this.#state = 'between';
    return rest.subarray(at + this.#delimiter.length);
  }

  #between(rest: Uint8Array): Uint8Array | null {
    if (rest.length < 2) return this.#hold(rest);
    if (rest[0] === 45 && rest[1] === 45) {
      this.#state = 'done';
      return null;
    }
    const line = find(rest, CRLF);
    if (line < 0) {
      if (rest.length > MAX_HEADERS) throw new MultipartError('no line end after a boundary');
      return this.#hold(rest);
    }
    this.#state = 'headers';
    return rest.subarray(line); // keeps CRLF, so that a part without headers still ends in CRLF CRLF
  }

  #readHeaders(rest: Uint8Array): Uint8Array | null {
    const end = find(rest, BLANK);
    if (end < 0) {
      if (rest.length > MAX_HEADERS) throw new MultipartError('part headers too long');
      return this.#hold(rest);
    }
    this.#headers = parseHeaders(rest.subarray(0, end));
    const stated = this.#headers.get('content-length');
    const length = stated !== undefined && /^\d+$/.test(stated) ? Number(stated) : -1;
    if (length > MAX_PART) throw new MultipartError('part too large');
    this.#body = new Uint8Array(length >= 0 ? length : 256 * 1024);
    this.#filled = 0;
    this.#state = length >= 0 ? 'counted' : 'scanned';
    return rest.subarray(end + BLANK.length);
  }

  #counted(rest: Uint8Array): Uint8Array | null {
    const wanted = this.#body.length - this.#filled;
    const taken = Math.min(wanted, rest.length);
    this.#body.set(rest.subarray(0, taken), this.#filled);
    this.#filled += taken;
    const after = rest.subarray(taken);
    if (taken < wanted) return null;
    if (after.length < this.#delimiter.length) return this.#hold(after);
    if (!matches(after, this.#delimiter, 0)) throw new MultipartError('a part is not as long as it says');
    return this.#finish(after.subarray(this.#delimiter.length));
  }

  #scanned(rest: Uint8Array): Uint8Array | null {
    const at = find(rest, this.#delimiter);
    if (at >= 0) {
      this.#append(rest.subarray(0, at));
      return this.#finish(rest.subarray(at + this.#delimiter.length));
    }
    const safe = Math.max(0, rest.length - this.#delimiter.length + 1);
    this.#append(rest.subarray(0, safe));
    return this.#hold(rest.subarray(safe));
  }

  #append(bytes: Uint8Array): void {
    const needed = this.#filled + bytes.length;
    if (needed > MAX_PART) throw new MultipartError('part too large');
    if (needed > this.#body.length) {
      const grown = new Uint8Array(Math.max(needed, this.#body.length * 2));
      grown.set(this.#body.subarray(0, this.#filled));
      this.#body = grown;
    }
    this.#body.set(bytes, this.#filled);
    this.#filled = needed;
  }

  #finish(rest: Uint8Array): Uint8Array {
    const body = this.#filled === this.#body.length ? this.#body : this.#body.slice(0, this.#filled);
    this.#body = new Uint8Array(0);
    this.#filled = 0;
    this.#state = 'between';
    this.onPart({ headers: this.#headers, body });
    return rest;
  }
}

/** All parts of a buffered answer. */
export function splitAll(contentType: string, bytes: Uint8Array): Part[] {
  const parts: Part[] = [];
  const splitter = new MultipartSplitter(boundaryOf(contentType), (part) => parts.push(part));
  splitter.push(bytes);
  splitter.end();
  return parts;
}

const CRLF = new Uint8Array([13, 10]);
const BLANK = new Uint8Array([13, 10, 13, 10]);

function join(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function matches(bytes: Uint8Array, wanted: Uint8Array, at: number): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}

function find(bytes: Uint8Array, wanted: Uint8Array): number {
  const last = bytes.length - wanted.length;
  let at = bytes.indexOf(CR);
  while (at >= 0 && at <= last) {
    if (matches(bytes, wanted, at)) return at;
    at = bytes.indexOf(CR, at + 1);
  }
  return -1;
}

function parseHeaders(bytes: Uint8Array): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of new TextDecoder('latin1').decode(bytes).split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return headers;
}
