// Break-glass in the browser: asks for the reason, and shows how long it still lasts. The server alone decides that it is over.
const MINUTE = 60_000;

/** The words beside the mark, as the server says them at first. */
export function left(minutes: number): string {
  return `${minutes} ${minutes === 1 ? 'minute' : 'minutes'} left.`;
}

/** Binds the button that asks for the reason, and counts the open minutes down; at the end the page is asked for anew. */
export function bindBreakGlass(over: () => boolean, again: () => void = () => location.reload()): void {
  document.addEventListener('click', (event) => {
    if (event.target instanceof Element && event.target.closest('[data-break-glass]')) document.querySelector<HTMLDialogElement>('#break-glass')?.showModal();
  });
  const banner = document.getElementById('glass');
  if (!banner) return;
  const ends = Date.now() + Number(banner.dataset['minutes']) * MINUTE;
  const words = banner.querySelector('[data-left]');
  const timer = setInterval(() => {
    const minutes = Math.ceil((ends - Date.now()) / MINUTE);
    if (over()) clearInterval(timer);
    else if (minutes > 0) {
      if (words) words.textContent = left(minutes);
    } else {
      clearInterval(timer);
      again();
    }
  }, 5_000);
}
