// Numbers and dates as senders read them.

export function size(bytes: number): string {
  if (bytes < 1_000_000) return `${Math.max(bytes > 0 ? 1 : 0, Math.round(bytes / 1000)).toLocaleString('en')} kB`;
  if (bytes < 1_000_000_000) return `${Math.round(bytes / 1_000_000).toLocaleString('en')} MB`;
  return `${(bytes / 1_000_000_000).toFixed(1)} GB`;
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en')} ${n === 1 ? one : many}`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `20260521` or `2026-05-21` as `21 May 2026`; anything else is unknown. */
export function day(date: string): string {
  const [, year, month, at] = /^(\d{4})-?(\d{2})-?(\d{2})$/.exec(date) ?? [];
  const name = MONTHS[Number(month) - 1];
  return year && name && at ? `${Number(at)} ${name} ${year}` : '';
}

export function clock(at: Date): string {
  return `${String(at.getHours()).padStart(2, '0')}:${String(at.getMinutes()).padStart(2, '0')}`;
}

export function left(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds <= 0) return '';
  if (seconds < 60) return 'less than a minute left';
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `about ${count(minutes, 'minute')} left` : `about ${count(Math.round(minutes / 60), 'hour')} left`;
}
