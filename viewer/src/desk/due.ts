// How late it is, as the clock goes on: the same words as the server's (image_requests/words.py), so that a list left open does not lie.

export interface Left {
  readonly words: string;
  readonly tone: '' | 'warn' | 'bad';
}

const HOUR = 3_600_000;

export function left(dueIso: string, now: number): Left | null {
  const due = Date.parse(dueIso);
  if (Number.isNaN(due)) return null;
  const away = due - now;
  if (away < 0) return { words: `Overdue ${lasting(-away)}`, tone: 'bad' };
  return { words: `in ${lasting(away)}`, tone: away <= HOUR ? 'warn' : '' };
}

/** `46 min`, `1 h 14 min`, `17 h`, `3 days`. */
export function lasting(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / 60_000));
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (hours < 48) return hours < 4 && rest ? `${hours} h ${rest} min` : `${hours} h`;
  return `${Math.floor(hours / 24)} days`;
}

export function tellTime(rows: HTMLElement, now: number): void {
  for (const cell of rows.querySelectorAll<HTMLElement>('[data-due]')) {
    const found = left(cell.dataset['due'] ?? '', now);
    const said = cell.querySelector<HTMLElement>('.left');
    if (!found || !said || said.textContent === found.words) continue;
    said.textContent = found.words;
    said.className = `s left ${found.tone === 'bad' ? 'bad' : 'm2'}`;
    const due = cell.querySelector<HTMLElement>('.due');
    if (due) due.className = `due ${found.tone}`;
    cell.closest('tr')?.classList.toggle('late', found.tone === 'bad');
  }
}
