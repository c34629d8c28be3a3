// The pre-op board in the browser: has cases looked for that nobody has looked for yet, two at a time, and keeps the list new. Every action is a form.
import '../styles/app.css';
import '../styles/board.css';
import { bindHead } from '../theme/menu';
import { Live } from '../desk/live';
import { lookAll } from './looks';

bindHead();
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});

const csrf = document.querySelector<HTMLMetaElement>('meta[name=csrf]')?.content ?? '';
const launch = document.body.dataset['launch'] ?? '';

/** Nobody is there any more: names of patients leave the document. */
function leave(): void {
  const template = document.getElementById('board-ended') as HTMLTemplateElement | null;
  const sprite = document.querySelector('.sprite');
  if (template) document.body.replaceChildren(...(sprite ? [sprite] : []), template.content.cloneNode(true));
}

function bindIdle(seconds: number): void {
  let last = Date.now();
  for (const kind of ['pointerdown', 'keydown', 'wheel', 'touchstart']) addEventListener(kind, () => (last = Date.now()), { passive: true, capture: true });
  const timer = setInterval(() => {
    if (Date.now() - last < seconds * 1000) return;
    clearInterval(timer);
    leave();
  }, 10_000);
}

/** Somebody is writing in the side panel: it stays as it is until they are done. */
function isWritten(side: HTMLElement): boolean {
  return side.contains(document.activeElement) || [...side.querySelectorAll<HTMLInputElement | HTMLSelectElement>('input:not([type=hidden]), select')].some((one) => one.value !== '');
}

function bindBoard(rows: HTMLElement, side: HTMLElement, summary: HTMLElement, status: HTMLElement): void {
  const live = new Live(rows.dataset['known'] ?? '', {
    url: `/l/${launch}/board/watch`,
    launch,
    seconds: Number(status.dataset['seconds']),
    fields: () => new URLSearchParams({ csrf, day: rows.dataset['day'] ?? '', case: rows.dataset['case'] ?? '' }),
    busy: () => false,
    draw: (rowsHtml, summaryHtml, sideHtml) => {
      const focused = document.activeElement instanceof HTMLElement && rows.contains(document.activeElement) ? document.activeElement.closest('tr')?.id : undefined;
      rows.innerHTML = rowsHtml;
      summary.innerHTML = summaryHtml;
      if (sideHtml !== undefined && !isWritten(side)) side.innerHTML = sideHtml;
      if (focused) document.querySelector<HTMLElement>(`#${focused} .nm`)?.focus();
    },
    waits: () => undefined,
    said: (words, well) => {
      const text = status.querySelector('span');
      if (text && text.textContent !== words) text.textContent = words;
      status.classList.toggle('warn', !well);
    },
    ended: leave,
  });
  live.start();
  void lookAll({
    paths: [...rows.querySelectorAll<HTMLElement>('[data-look]')].map((row) => row.dataset['look'] ?? ''),
    csrf,
    looked: () => live.look(),
    failed: (path, words) => {
      const asking = rows.querySelector(`[data-look="${path}"] [data-asking]`);
      if (asking) asking.textContent = words;
    },
  });
}

const found = ['rows', 'side', 'summary', 'live'].map((id) => document.getElementById(id));
const [rows, side, summary, status] = found;
if (rows && side && summary && status) bindBoard(rows, side, summary, status);
bindIdle(Number(document.body.dataset['idle']));
