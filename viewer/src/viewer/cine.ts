// Plays a stack at the file's own frame rate. Never skips to an image that is not there yet: it waits for it.

export class Cine {
  #timer = 0;

  constructor(private readonly advance: () => Promise<void>, private readonly onChange: (playing: boolean) => void) {}

  get playing(): boolean {
    return this.#timer !== 0;
  }

  /** `rate`: frames per second. */
  start(rate: number): void {
    this.stop();
    const every = 1000 / Math.min(60, Math.max(1, rate));
    let due = performance.now();
    const tick = async (): Promise<void> => {
      await this.advance();
      if (this.#timer === 0) return;
      due = Math.max(due + every, performance.now() - every);
      this.#timer = window.setTimeout(() => void tick(), Math.max(0, due - performance.now()));
    };
    this.#timer = window.setTimeout(() => void tick(), every);
    this.onChange(true);
  }

  stop(): void {
    if (this.#timer === 0) return;
    window.clearTimeout(this.#timer);
    this.#timer = 0;
    this.onChange(false);
  }
}
