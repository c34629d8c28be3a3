// What a filter lets through: pure, so that "n rows are hidden" can be trusted.
export interface Facts {
  readonly date: string; // ISO, possibly shortened, or empty
  readonly modalities: readonly string[];
  readonly regions: readonly string[];
  readonly hospitals: readonly string[];
  readonly text: string; // lower case
  readonly kind?: string; // study, known, requested or ordered
  readonly uid?: string;
}
export interface Filter {
  readonly modality: ReadonlySet<string>;
  readonly region: ReadonlySet<string>;
  readonly hospital: ReadonlySet<string>;
  readonly from: string; // ISO day or empty
  readonly to: string;
  readonly text: string;
  readonly kind?: string; // only rows of this kind
  readonly only?: ReadonlySet<string> | undefined; // only these studies: what another system asked for
}
export const NO_FILTER: Filter = { modality: new Set(), region: new Set(), hospital: new Set(), from: '', to: '', text: '', kind: '', only: undefined };
const KINDS: Record<string, string> = { known: 'Known without images', requested: 'Requested', ordered: 'Ordered, not done' };
export const UNKNOWN = 'Unknown';

export function isActive(filter: Filter): boolean {
  return Boolean(filter.modality.size || filter.region.size || filter.hospital.size || filter.from || filter.to || filter.text.trim() || filter.kind || filter.only);
}

const some = (wanted: ReadonlySet<string>, has: readonly string[]): boolean =>
  wanted.size === 0 || (has.length === 0 ? wanted.has(UNKNOWN) : has.some((one) => wanted.has(one)));

/** Folds case and accents away, so that `muller` finds `Müller`. */
export function plain(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLocaleLowerCase('en');
}

/** A shortened date (`2024`, `2024-05`) passes when any of its days lies in the range; an unknown one only without a range. */
export function inRange(date: string, from: string, to: string): boolean {
  if (!from && !to) return true;
  if (!date) return false;
  const last = date.length === 4 ? `${date}-12-31` : date.length === 7 ? `${date}-31` : date;
  const first = date.length === 4 ? `${date}-01-01` : date.length === 7 ? `${date}-01` : date;
  return (!from || last >= from) && (!to || first <= to);
}

export function passes(row: Facts, filter: Filter): boolean {
  return (
    some(filter.modality, row.modalities) &&
    some(filter.region, row.regions) &&
    some(filter.hospital, row.hospitals) &&
    (!filter.kind || row.kind === filter.kind) &&
    (!filter.only || filter.only.has(row.uid ?? '')) &&
    inRange(row.date, filter.from, filter.to) &&
    plain(filter.text).split(/\s+/).filter(Boolean).every((word) => row.text.includes(word))
  );
}

/** Values with their counts, most frequent first; rows without any count as Unknown. */
export function tally(rows: readonly (readonly string[])[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const values of rows) for (const value of values.length ? new Set(values) : [UNKNOWN]) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
}

/** `12 studies`, then what is listed besides: rows without images are no studies that anybody could open. */
export function counted(rows: readonly Facts[]): { studies: number; known: number; requested: number; ordered: number } {
  const known = rows.filter((row) => row.kind === 'known').length;
  const requested = rows.filter((row) => row.kind === 'requested').length;
  const ordered = rows.filter((row) => row.kind === 'ordered').length;
  const studies = rows.filter((row) => (row.kind ?? 'study') === 'study').length;
  return { studies, known, requested, ordered };
}

/** The filter in words, for "hidden by the filter …". */
export function describe(filter: Filter): string {
  const part = (word: string, set: ReadonlySet<string>): string => (set.size ? `${word}: ${[...set].join(', ')}` : '');
  const range = filter.from && filter.to ? `Date: ${filter.from} to ${filter.to}` : filter.from ? `Date: from ${filter.from}` : filter.to ? `Date: until ${filter.to}` : '';
  return [filter.only ? 'Asked for' : '', filter.kind ? KINDS[filter.kind] ?? filter.kind : '', part('Modality', filter.modality), part('Region', filter.region), range, part('Hospital', filter.hospital), filter.text.trim() ? `Find: ${filter.text.trim()}` : ''].filter(Boolean).join('; ');
}

/** ISO day `months` before `today`. */
export function monthsBefore(today: Date, months: number): string {
  const day = new Date(Date.UTC(today.getFullYear(), today.getMonth() - months, 1));
  const lastOfMonth = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1, 0)).getUTCDate();
  day.setUTCDate(Math.min(today.getDate(), lastOfMonth));
  return day.toISOString().slice(0, 10);
}
