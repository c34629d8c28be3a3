// Which side of the patient lies at each edge of the viewport. Pure: the viewport gives directions, this gives letters.
// Letters appear only when the file gives coordinates or Patient Orientation; nothing is assumed.
import type { StackImage, Triple } from './images';

export interface Edges { top: string; right: string; bottom: string; left: string }

const OPPOSITE: Record<string, string> = { L: 'R', R: 'L', A: 'P', P: 'A', H: 'F', F: 'H' };

/** `right` and `down`: the image's (row, column) steps that lead right and down on the screen, after turning and flipping. */
export function edgeLetters(image: Pick<StackImage, 'orientation' | 'patientOrientation'>, right: [number, number], down: [number, number]): Edges | null {
  const letters = (step: [number, number]): string | null => {
    if (image.orientation) return fromVector(along(image.orientation, step));
    if (image.patientOrientation) return fromLetters(image.patientOrientation, step);
    return null;
  };
  const r = letters(right);
  const d = letters(down);
  if (!r || !d) return null;
  return { right: r, left: opposite(r), bottom: d, top: opposite(d) };
}

export function opposite(letters: string): string {
  return [...letters].map((letter) => OPPOSITE[letter] ?? letter).join('');
}

function along([row, column]: [Triple, Triple], [x, y]: [number, number]): Triple {
  return [0, 1, 2].map((i) => (row[i] as number) * x + (column[i] as number) * y) as Triple;
}

/** Letters of a direction in patient coordinates, the main one first; a part under a quarter is left out. */
export function fromVector(vector: Triple): string | null {
  const size = Math.hypot(...vector);
  if (!(size > 0)) return null;
  const names: [string, string][] = [['L', 'R'], ['P', 'A'], ['H', 'F']];
  return vector
    .map((value, i) => ({ share: Math.abs(value) / size, letter: (names[i] as [string, string])[value > 0 ? 0 : 1] }))
    .filter(({ share }) => share > 0.25)
    .sort((a, b) => b.share - a.share)
    .map(({ letter }) => letter)
    .join('');
}

function fromLetters([row, column]: [string, string], [x, y]: [number, number]): string | null {
  if (![row, column].every((letters) => /^[LRAPHF]{1,3}$/.test(letters))) return null; // quadruped and paw letters: not shown
  if (Math.abs(x) > 0.9 * Math.hypot(x, y)) return x > 0 ? row : opposite(row);
  if (Math.abs(y) > 0.9 * Math.hypot(x, y)) return y > 0 ? column : opposite(column);
  return null; // a slanted turn has no plain letter
}
