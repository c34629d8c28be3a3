// Sends what was chosen: six requests at a time, many small files in one, large ones piece after piece. What counts as received is only what
// the receiver said it holds. A lost network, a full disk and a pause cost time and nothing else.
import type { Item } from './item';
import { Lost, NoRoom, Over, type Piece, type Taken, type Wire } from './wire';

export const AT_ONCE = 6;
const MOST_PIECES = 100;
const ANNOUNCED_AT_ONCE = 500;
const MOST_REPAIRS = 5;

export interface Sent { item: Item; file: number; held: number; whole: boolean; failed: boolean; repairs: number }
export type Trouble = 'none' | 'lost' | 'no-room' | 'paused';
export interface Hooks {
  /** Something is further than before. */
  moved(): void;
  trouble(kind: Trouble): void;
  wait(seconds: number): Promise<void>;
}

export class Sending {
  readonly files: Sent[] = [];
  upload = '';
  #queue: Sent[] = [];
  #paused: Promise<void> | null = null;
  #resume: (() => void) | null = null;
  #stopped = new AbortController();

  constructor(private readonly wire: Wire, private readonly items: Item[], private readonly chunk: number, private readonly hooks: Hooks) {}

  get received(): number {
    return this.files.reduce((sum, one) => sum + one.held, 0);
  }

  get bytes(): number {
    return this.items.reduce((sum, one) => sum + one.size, 0);
  }

  get whole(): number {
    return this.files.filter((one) => one.whole).length;
  }

  pause(): void {
    this.#paused ??= new Promise((resolve) => (this.#resume = resolve));
    this.hooks.trouble('paused');
  }

  resume(): void {
    this.#resume?.();
    this.#paused = null;
    this.hooks.trouble('none');
  }

  /** Until every file is safely received or has failed for good. Throws Over when the link takes nothing more. */
  async run(): Promise<void> {
    this.upload = await this.#patiently(() => this.wire.begin());
    for (let from = 0; from < this.items.length; from += ANNOUNCED_AT_ONCE) {
      const some = this.items.slice(from, from + ANNOUNCED_AT_ONCE);
      const told = await this.#patiently(() => this.wire.announce(this.upload, some.map(({ name, size, mark }) => ({ name: name.slice(-1000), size, mark }))));
      some.forEach((item, at) => {
        const standing = told[at];
        if (standing) this.files.push({ item, ...standing, failed: false, repairs: 0 });
      });
      this.hooks.moved();
    }
    this.#queue = this.files.filter((one) => !one.whole);
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, () => this.#work()));
    } catch (error) {
      this.#stopped.abort(error);
      throw error;
    }
  }

  async #work(): Promise<void> {
    for (let batch = this.#next(); batch.length > 0; batch = this.#next()) {
      await this.#paused;
      const pieces = await this.#read(batch);
      if (pieces.length > 0 && this.#settle(batch, await this.#patiently(() => this.wire.send(this.upload, pieces, this.#stopped.signal)))) {
        this.hooks.trouble('no-room');
        await this.hooks.wait(15);
      }
      this.#queue.unshift(...batch.filter((one) => !one.whole && !one.failed));
      this.hooks.moved();
    }
  }

  // One large file, or as many small ones as fit into a body.
  #next(): Sent[] {
    const batch: Sent[] = [];
    let room = this.chunk;
    while (this.#queue.length > 0 && batch.length < MOST_PIECES) {
      const rest = this.#queue[0] as Sent;
      const size = rest.item.size - rest.held;
      if (batch.length > 0 && size > room) break;
      batch.push(this.#queue.shift() as Sent);
      room -= size;
      if (room <= 0) break;
    }
    return batch;
  }

  async #read(batch: Sent[]): Promise<Piece[]> {
    const pieces: Piece[] = [];
    for (const one of batch) {
      try {
        const bytes = await one.item.slice(one.held, Math.min(one.item.size, one.held + this.chunk));
        if (bytes.byteLength === 0 && one.item.size > one.held) throw new Error('the file is shorter than it was');
        pieces.push({ file: one.file, at: one.held, bytes });
      } catch {
        one.failed = true; // the disc was taken out, or the file was changed: this device cannot read it any more
      }
    }
    return pieces;
  }

  /** Whether there was no room for some of it. */
  #settle(batch: Sent[], taken: Taken[]): boolean {
    let full = false;
    for (const one of batch) {
      const answer = taken.find((each) => each.file === one.file);
      if (!answer) continue;
      const further = answer.held > one.held;
      one.held = answer.held;
      one.whole = answer.whole;
      full ||= answer.outcome === 'full';
      if (further || answer.whole || answer.outcome === 'full' || answer.outcome === 'busy') continue;
      one.repairs += 1;
      if (answer.outcome === 'differs' || answer.outcome === 'unknown' || one.repairs > MOST_REPAIRS) one.failed = true;
    }
    return full;
  }

  // Tries again by itself for as long as it takes: the page says so meanwhile.
  async #patiently<T>(ask: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries += 1) {
      try {
        const answer = await ask();
        if (tries > 0) this.hooks.trouble('none');
        return answer;
      } catch (error) {
        if (error instanceof Over || !(error instanceof Lost || error instanceof NoRoom)) throw error;
        this.hooks.trouble(error instanceof Lost ? 'lost' : 'no-room');
        await this.hooks.wait(error instanceof Lost ? Math.min(30, 2 ** tries) : 15);
      }
    }
  }
}
