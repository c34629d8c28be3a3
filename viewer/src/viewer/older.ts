// Which study comes next when a person asks for an older one. Pure; the list says what there is.
import type { Request } from './outline';

/** A study of the list that could be opened. `date`: as the list sorts, year first. */
export interface Candidate extends Request { date: string; modalities: readonly string[]; regions: readonly string[] }

/** The next older one after `beside` (or after the current one): of the same region and modality while there is any such. */
export function nextOlder(all: readonly Candidate[], current: Request, beside: Request | null): Candidate | null {
  const of = (request: Request): Candidate | undefined => all.find((each) => each.study === request.study && each.archive === request.archive);
  const now = of(current);
  const from = (beside && of(beside)) ?? now;
  if (!from?.date) return null;
  const older = all.filter((each) => each !== from && each.study !== current.study && each.date !== '' && each.date < from.date).sort((a, b) => (a.date < b.date ? 1 : -1));
  const shares = (a: readonly string[], b: readonly string[]): boolean => a.some((each) => b.includes(each));
  return older.find((each) => now !== undefined && shares(each.modalities, now.modalities) && shares(each.regions, now.regions)) ?? older[0] ?? null;
}
