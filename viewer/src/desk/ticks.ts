// Ticks of the work list: how many, all at once, and kept when the list is drawn anew.

const ROW = 'input[name=request]';

export function bindTicks(rows: HTMLElement, said: HTMLElement, bar: HTMLElement): { keep: (draw: () => void) => void } {
  const boxes = (): HTMLInputElement[] => [...rows.querySelectorAll<HTMLInputElement>(ROW)];
  const all = (): HTMLInputElement | null => rows.querySelector<HTMLInputElement>('[data-all]');
  const show = (): void => {
    const list = boxes();
    const ticked = list.filter((one) => one.checked).length;
    said.textContent = ticked === 0 ? 'Tick requests to act on them' : `${ticked} ticked`;
    bar.toggleAttribute('data-some', ticked > 0);
    for (const button of bar.querySelectorAll<HTMLButtonElement>('button')) button.disabled = ticked === 0;
    const head = all();
    if (!head) return;
    head.hidden = list.length === 0;
    head.checked = ticked > 0 && ticked === list.length;
    head.indeterminate = ticked > 0 && ticked < list.length;
  };
  rows.addEventListener('change', (event) => {
    if (event.target === all()) boxes().forEach((one) => (one.checked = (event.target as HTMLInputElement).checked));
    show();
  });
  bar.addEventListener('click', (event) => {
    if (!(event.target as HTMLElement).closest('[data-untick]')) return;
    boxes().forEach((one) => (one.checked = false));
    show();
  });
  show();
  return {
    /** Draws anew: what was ticked stays so, by its number, whatever its version is now. */
    keep(draw) {
      const ticked = new Set(boxes().filter((one) => one.checked).map((one) => numberOf(one.value)));
      draw();
      boxes().forEach((one) => (one.checked = ticked.has(numberOf(one.value))));
      show();
    },
  };
}

/** `RQ-7Q2M4TKX:3` without its version. */
export function numberOf(value: string): string {
  return value.slice(0, Math.max(0, value.lastIndexOf(':')));
}
