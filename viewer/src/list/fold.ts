// Which source chips fit into the strip: pure arithmetic, so that folding never depends on timing.
export interface Chip {
  readonly width: number;
  readonly state: string;
}
const FULL = new Set(['ok', 'empty']);
export const MOST = 5;

/** How many chips, from the front (failing and slow first), stay; the rest go into one "n answered" chip of `foldWidth`. */
export function keep(chips: readonly Chip[], room: number, foldWidth: number): number {
  const total = chips.reduce((sum, chip) => sum + chip.width, 0);
  if (chips.length <= MOST && total <= room) return chips.length;
  let used = foldWidth;
  let kept = 0;
  for (const chip of chips) {
    // More than five sources: the healthy ones always fold, so that the strip looks the same as answers arrive.
    if (chips.length > MOST && FULL.has(chip.state)) break;
    if (used + chip.width > room) break;
    used += chip.width;
    kept += 1;
  }
  return kept;
}

/** The word and mark of the folded rest: the worst state in it decides. */
export function foldWord(states: readonly string[]): { word: string; mark: string; tone: string } {
  const n = states.length;
  if (states.every((state) => FULL.has(state))) return { word: `${n} answered`, mark: 'ok', tone: 'ok' };
  if (states.some((state) => !FULL.has(state) && state !== 'asking' && state !== 'partial' && state !== 'no-identifier')) return { word: `${n} more`, mark: 'bad', tone: 'bad' };
  if (states.some((state) => state === 'partial' || state === 'no-identifier')) return { word: `${n} more`, mark: 'part', tone: 'warn' };
  return { word: `${n} more`, mark: 'load', tone: 'acc spin' };
}
