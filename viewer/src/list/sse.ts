// Reads text/event-stream from a fetch body, so that status, launch and patient can be checked (EventSource can not).
export interface Message {
  readonly event: string;
  readonly data: string;
}

/** Splits text that arrives in any pieces into events (WHATWG HTML 9.2.6; ids and retry are not used). */
export class EventSplitter {
  #rest = '';
  #event = '';
  #data: string[] = [];

  push(text: string): Message[] {
    const out: Message[] = [];
    this.#rest += text;
    // A lone CR at the end may be the first half of CRLF: leave it for the next piece.
    const lines = this.#rest.split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') {
        if (this.#data.length > 0) out.push({ event: this.#event || 'message', data: this.#data.join('\n') });
        this.#event = '';
        this.#data = [];
        continue;
      }
      if (line.startsWith(':')) continue;
      const colon = line.indexOf(':');
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'event') this.#event = value;
      else if (field === 'data') this.#data.push(value);
    }
    return out;
  }
}
