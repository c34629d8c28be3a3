// The sender's engine against a receiver that loses answers, has no room, forgets nothing and says so.
import { describe, expect, it } from 'vitest';
import { Sending, type Trouble } from '../../src/portal/sending';
import { Lost, Over, type Piece, type Standing, type Taken, type Wire, framed } from '../../src/portal/wire';

class Receiver implements Wire {
  held = new Map<number, number[]>();
  sizes: number[] = [];
  names = new Map<string, number>();
  bodies: number[] = [];
  atOnce = 0;
  most = 0;
  /** What goes wrong with the nth request. */
  faults: ((n: number) => 'before' | 'after' | 'full' | 'over' | null) = () => null;

  async begin(): Promise<string> {
    return 'u';
  }

  async announce(_: string, files: { name: string; size: number; mark: string }[]): Promise<Standing[]> {
    return files.map(({ name, size }) => {
      if (!this.names.has(name)) {
        this.sizes.push(size);
        this.names.set(name, this.sizes.length);
        this.held.set(this.sizes.length, []);
      }
      return this.#standing(this.names.get(name) as number);
    });
  }

  async send(_: string, pieces: Piece[]): Promise<Taken[]> {
    this.atOnce += 1;
    this.most = Math.max(this.most, this.atOnce);
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.atOnce -= 1;
    this.bodies.push(pieces.length);
    const fault = this.faults(this.bodies.length);
    if (fault === 'before') throw new Lost('cut');
    if (fault === 'over') throw new Over('This link has ended.', 404);
    const taken = pieces.map(({ file, at, bytes }): Taken => {
      const held = this.held.get(file) as number[];
      if (fault === 'full') return { ...this.#standing(file), outcome: 'full' };
      if (at + bytes.byteLength <= held.length) return { ...this.#standing(file), outcome: 'again' };
      if (at !== held.length) return { ...this.#standing(file), outcome: 'order' };
      held.push(...new Uint8Array(bytes));
      return { ...this.#standing(file), outcome: 'held' };
    });
    if (fault === 'after') throw new Lost('the answer was lost');
    return taken;
  }

  async finish(): Promise<number[]> {
    return [];
  }

  async state(): Promise<[]> {
    return [];
  }

  #standing(file: number): Standing {
    const held = (this.held.get(file) as number[]).length;
    return { file, held, whole: held === this.sizes[file - 1] };
  }
}

const data = (size: number, seed: number): Uint8Array<ArrayBuffer> => Uint8Array.from({ length: size }, (_, at) => (at * 31 + seed) % 256);
const items = (sizes: number[]) => sizes.map((bytes, at) => ({ name: `f${at}`, size: bytes, mark: '', slice: async (from: number, to: number) => data(bytes, at).slice(from, to).buffer }));

async function send(receiver: Receiver, sizes: number[], told: Trouble[] = []): Promise<Sending> {
  const sending = new Sending(receiver, items(sizes), 1000, { moved: () => undefined, trouble: (kind) => told.push(kind), wait: async () => undefined });
  await sending.run();
  return sending;
}

const SIZES = [0, 1, 999, 1000, 1001, 4500, ...Array.from({ length: 300 }, (_, at) => at % 40)];

describe('sending', () => {
  it('sends each byte once, many small files in one request, at most six at a time', async () => {
    const receiver = new Receiver();
    const sending = await send(receiver, SIZES);
    expect([sending.whole, sending.received]).toEqual([SIZES.length, SIZES.reduce((a, b) => a + b)]);
    expect(receiver.most).toBeLessThanOrEqual(6);
    expect(receiver.bodies.length).toBeLessThan(40);
    SIZES.forEach((bytes, at) => expect(Uint8Array.from(receiver.held.get(at + 1) as number[])).toEqual(data(bytes, at)));
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('loses and doubles nothing when requests and answers are lost (%i)', async (seed) => {
    const receiver = new Receiver();
    const told: Trouble[] = [];
    receiver.faults = (n) => ((n * 7919 + seed * 104729) % 11 < 3 ? ((n + seed) % 2 ? 'before' : 'after') : null);
    const sending = await send(receiver, SIZES, told);
    expect([sending.whole, sending.files.filter((one) => one.failed).length]).toEqual([SIZES.length, 0]);
    SIZES.forEach((bytes, at) => expect(Uint8Array.from(receiver.held.get(at + 1) as number[])).toEqual(data(bytes, at)));
    expect(told).toContain('lost');
  });

  it('waits while there is no room, and goes on', async () => {
    const receiver = new Receiver();
    const told: Trouble[] = [];
    receiver.faults = (n) => (n <= 8 ? 'full' : null);
    const sending = await send(receiver, SIZES, told);
    expect(sending.whole).toBe(SIZES.length);
    expect(told).toContain('no-room');
  });

  it('goes on from what is held when another browser comes with the same files', async () => {
    const receiver = new Receiver();
    receiver.faults = (n) => (n === 3 ? 'over' : null);
    await expect(send(receiver, SIZES)).rejects.toThrow('This link has ended.');
    const before = receiver.bodies.length;
    receiver.faults = () => null;
    const sending = await send(receiver, SIZES);
    expect(sending.whole).toBe(SIZES.length);
    expect(receiver.bodies.length).toBeGreaterThan(before);
    SIZES.forEach((bytes, at) => expect(receiver.held.get(at + 1)?.length).toBe(bytes));
  });

  it('says which file cannot be read any more, and sends the others', async () => {
    const receiver = new Receiver();
    const all = items([10, 20, 30]);
    (all[1] as (typeof all)[number]).slice = async () => { throw new Error('the disc was taken out'); };
    const sending = new Sending(receiver, all, 1000, { moved: () => undefined, trouble: () => undefined, wait: async () => undefined });
    await sending.run();
    expect(sending.files.map((one) => [one.whole, one.failed])).toEqual([[true, false], [false, true], [true, false]]);
  });

  it('writes a line with the hash before each piece', async () => {
    const text = await (await framed([{ file: 7, at: 3, bytes: new TextEncoder().encode('abc').buffer as ArrayBuffer }])).text();
    expect(text).toBe('{"file":7,"at":3,"bytes":3,"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}\nabc');
  });
});
