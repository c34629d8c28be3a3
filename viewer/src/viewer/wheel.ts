// Turns the mouse wheel, and dragging with the scroll tool, into steps through the stack.

const PER_STEP = 40;  // wheel pixels: one notch of a mouse is one image, a touchpad scrolls smoothly
const PER_DRAG = 8;   // screen pixels a step

export class Wheel {
  readonly #stop = new AbortController();

  constructor(element: HTMLElement, dragging: () => boolean, step: (by: number) => void) {
    const { signal } = this.#stop;
    let held = 0;
    let last = 0;
    element.addEventListener('wheel', (event) => {
      if (event.ctrlKey) return; // the browser's own zoom
      event.preventDefault();
      if (event.timeStamp - last > 300) held = 0;
      last = event.timeStamp;
      held += event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * PER_STEP;
      const steps = Math.abs(event.deltaY) >= 100 && event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? Math.sign(event.deltaY) * Math.max(1, Math.round(Math.abs(event.deltaY) / 120)) : Math.trunc(held / PER_STEP);
      if (steps === 0) return;
      held = 0;
      step(steps);
    }, { signal, passive: false });

    let from: { y: number; id: number } | null = null;
    element.addEventListener('pointerdown', (event) => {
      if (dragging() && event.button === 0 && event.isPrimary) from = { y: event.clientY, id: event.pointerId };
    }, { signal });
    element.addEventListener('pointermove', (event) => {
      if (from?.id !== event.pointerId) return;
      const steps = Math.trunc((event.clientY - from.y) / PER_DRAG);
      if (steps === 0) return;
      from.y += steps * PER_DRAG;
      step(steps);
    }, { signal });
    for (const end of ['pointerup', 'pointercancel'] as const) element.addEventListener(end, () => { from = null; }, { signal });
  }

  stop(): void {
    this.#stop.abort();
  }
}
