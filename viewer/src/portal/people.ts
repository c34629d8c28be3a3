// Whether the person in a file is the one asked for, as far as a sender's page can tell. It only decides what is ticked: the receiver decides
// whose it is. Another person's study is not sent.
import { day } from './words';

export interface Person { name: string; born: string }
/** `unsure`: the files do not say enough. `doubt`: something differs, as after a marriage or a slip. `other`: somebody else. */
export type Likeness = 'same' | 'unsure' | 'doubt' | 'other';

/** `MARCHETTI^Rosalind^J` as `MARCHETTI, Rosalind J`. */
export function spoken(name: string): string {
  const [family = '', ...given] = (name.split('=')[0] ?? '').split('^');
  const rest = given.slice(0, 2).join(' ').trim();
  return [family.trim(), rest].filter(Boolean).join(', ') || 'No name in the files';
}

export function born(date: string): string {
  const said = day(date);
  return said ? `Born ${said}` : 'No birth date in the files';
}

export function likeness(asked: Person | null, name: string, date: string): Likeness {
  if (!asked) return 'unsure';
  const theirs = date.replaceAll('-', '');
  const ours = asked.born.replaceAll('-', '');
  const dated = /^\d{8}$/.test(theirs) && /^\d{8}$/.test(ours);
  const named = family(name) !== '' && family(name) === family(asked.name.replace(',', '^'));
  const given = shareGiven(asked.name.replace(',', '^'), name);
  if (dated && theirs !== ours) return named && given ? 'doubt' : 'other';
  if (family(name) === '') return 'unsure';
  if (named && given) return dated ? 'same' : 'unsure';
  return dated ? 'doubt' : 'other';
}

function family(name: string): string {
  return plain((name.split('=')[0] ?? '').split('^')[0] ?? '');
}

// Twins share family name and birth date: the given names must have something in common.
function shareGiven(ours: string, theirs: string): boolean {
  const words = (name: string): string[] => (name.split('=')[0] ?? '').split('^').slice(1, 3).flatMap((part) => part.split(/\s+/)).map(plain).filter(Boolean);
  const [mine, other] = [words(ours), words(theirs)];
  return mine.length === 0 || other.length === 0 || (mine[0] === other[0]) || (mine[0]?.[0] === other[0]?.[0] && (mine[0]?.length === 1 || other[0]?.length === 1));
}

function plain(text: string): string {
  return text.normalize('NFKD').replace(/[^\p{L}]/gu, '').toLocaleUpperCase('en');
}
