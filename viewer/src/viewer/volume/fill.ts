// Fills a volume from the images of its series, those around the cross first. Knows nothing of how they come.
import type { Voxels } from './voxels';
import { TooLarge } from './voxels';

const AT_ONCE = 4;

/** The values of one image of the series, scaled (HU for CT); rejects when it cannot be had. */
export type Values = (index: number) => Promise<ArrayLike<number>>;

export class Filling {
  readonly failed = new Set<number>();
  fault: TooLarge | null = null;
  #going: Promise<void> | null = null;

  constructor(private readonly voxels: Voxels, private readonly values: Values, private readonly signal: AbortSignal, private readonly changed: () => void) {}

  get busy(): boolean {
    return this.#going !== null;
  }

  /** Asks for every slice that is not in, the nearest to `middle` first; also once more for those that failed. */
  start(middle: number): Promise<void> {
    this.failed.clear();
    this.#going ??= this.#all(middle).finally(() => { this.#going = null; this.changed(); });
    return this.#going;
  }

  async #all(middle: number): Promise<void> {
    const left = [...this.voxels.have.keys()].filter((k) => !this.voxels.have[k]).sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      for (let k = left.shift(); k !== undefined && !this.signal.aborted && !this.fault; k = left.shift()) await this.#one(k);
    }));
  }

  async #one(k: number): Promise<void> {
    try {
      const values = await this.values(this.voxels.lattice.order[k] as number);
      if (this.signal.aborted) return;
      this.voxels.put(k, values);
    } catch (error) {
      if (this.signal.aborted) return;
      if (error instanceof TooLarge) this.fault = error;
      else this.failed.add(k);
    }
    this.changed();
  }
}
