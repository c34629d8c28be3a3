// How two series go together in space: which image of the one lies where an image of the other does, and whether that may be
// said at all. Pure; positions are patient coordinates in mm, as the files give them.
import type { StackImage, Triple } from './dicom/images';

export type Located = Pick<StackImage, 'orientation' | 'position' | 'frameOfReference'>;
export type Scaled = Pick<StackImage, 'modality' | 'samples'>;

/** `space`: one frame of reference, positions mean the same. `hand`: `offset` mm along the normal, fixed when it was linked. */
export type Link =
  | { how: 'space'; normal: Triple; offset: 0 }
  | { how: 'hand'; normal: Triple; offset: number }
  | { how: 'none'; why: 'unplaced' | 'slanted' | 'elsewhere' };

const PARALLEL = Math.cos((3 * Math.PI) / 180); // more and the slices cross within the body

export function normalOf(image: Located): Triple | null {
  if (!image.orientation) return null;
  const [r, c] = image.orientation;
  return [r[1] * c[2] - r[2] * c[1], r[2] * c[0] - r[0] * c[2], r[0] * c[1] - r[1] * c[0]];
}

export function dot(a: Triple, b: Triple): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/**
 * How `b` goes with `a`, both in view now. `byHand`: a person says that these two show the same place; without that, only
 * a frame of reference that both share links them.
 */
export function linkOf(a: Located, b: Located, byHand: boolean): Link {
  const [normal, other] = [normalOf(a), normalOf(b)];
  if (!normal || !other || !a.position || !b.position) return { how: 'none', why: 'unplaced' };
  if (Math.abs(dot(normal, other)) < PARALLEL) return { how: 'none', why: 'slanted' };
  if (a.frameOfReference !== null && a.frameOfReference === b.frameOfReference) return { how: 'space', normal, offset: 0 };
  if (!byHand) return { how: 'none', why: 'elsewhere' };
  return { how: 'hand', normal, offset: dot(normal, b.position) - dot(normal, a.position) };
}

/** The image of `among` that lies nearest to where `image` does; `apart`: by how many mm it misses. Null where nothing may be said. */
export function across(link: Link, image: Located, among: readonly Located[]): { index: number; apart: number } | null {
  if (link.how === 'none' || !image.position) return null;
  const wanted = dot(link.normal, image.position) + link.offset;
  let best: { index: number; apart: number } | null = null;
  among.forEach(({ position }, index) => {
    if (!position) return;
    const apart = Math.abs(dot(link.normal, position) - wanted);
    if (!best || apart < best.apart - 1e-6) best = { index, apart };
  });
  return best;
}

/** The same link seen from the other side. */
export function reversed(link: Link): Link {
  return link.how === 'hand' ? { ...link, offset: -link.offset } : link;
}

/** Whether one window means the same on both: the same kind of image, and numbers that are absolute or of one study. */
export function sameScale(a: Scaled, b: Scaled, oneStudy: boolean): boolean {
  if (a.modality !== b.modality || a.samples !== 1 || b.samples !== 1) return false;
  return a.modality === 'CT' || oneStudy; // Hounsfield units; elsewhere the numbers are the scanner's own
}

const WHY: Record<Extract<Link, { how: 'none' }>['why'], string> = {
  unplaced: 'Not linked: the files do not say where the slices lie',
  slanted: 'Not linked: the slices are not parallel',
  elsewhere: 'Not linked: two frames of reference. Bring both to the same place, then press K',
};

export function wordsOf(link: Link): string {
  return link.how === 'space' ? 'Linked by position' : link.how === 'hand' ? 'Linked by hand' : WHY[link.why];
}
