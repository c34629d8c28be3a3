// Which studies can be laid beside each other: those of the list that can be opened, and the pair that a person ticked.

export interface Candidate { launch: string; patient: string; archive: string; study: string; date: string; modalities: readonly string[]; regions: readonly string[] }

/** The later of two comes first: it is the current one, whichever was ticked first. Without a date the open one, else the first, is. */
export function inOrder(a: { uid: string; date: string }, b: { uid: string; date: string }, open = ''): [current: string, prior: string] {
  if (a.date && b.date && a.date !== b.date) return a.date > b.date ? [a.uid, b.uid] : [b.uid, a.uid];
  return b.uid === open ? [b.uid, a.uid] : [a.uid, b.uid];
}

/** Studies ticked to be compared: two at most, the one ticked first gives way. */
export class Ticks {
  #uids: string[] = [];

  get all(): readonly string[] {
    return this.#uids;
  }

  /** True when it is ticked now. */
  turn(uid: string): boolean {
    if (this.#uids.includes(uid)) { this.#uids = this.#uids.filter((each) => each !== uid); return false; }
    this.#uids = [...this.#uids, uid].slice(-2);
    return true;
  }

  /** The two to compare: those that are ticked, or the ticked one and the one that is open. */
  pair(open: string): [string, string] | null {
    const [a, b] = this.#uids;
    if (a && b) return [a, b];
    return a && open && a !== open ? [open, a] : null;
  }

  keep(known: (uid: string) => boolean): void {
    this.#uids = this.#uids.filter(known);
  }

  clear(): void {
    this.#uids = [];
  }
}
