// Which images are played together: the frames of one object, or single images that follow one another. Pure.
import type { StackImage } from './dicom/images';
import { type ClipTiming, assumedTiming } from './dicom/timing';

/** Images `from` to `from + timing.lasts.length - 1` of the stack. */
export interface Clip { readonly from: number; readonly count: number; readonly timing: ClipTiming; readonly frames: boolean }

type Playable = Pick<StackImage, 'instance' | 'modality' | 'frameRate' | 'timing'>;

/** The clip in which an image lies; null when there is nothing to play. */
export function clipAt(images: readonly Playable[], index: number): Clip | null {
  const image = images[index];
  if (!image) return null;
  const belongs = image.timing ? (other: Playable) => other.instance === image.instance : (other: Playable) => other.timing === null;
  let [from, to] = [index, index];
  while (from > 0 && belongs(images[from - 1] as Playable)) from -= 1;
  while (to + 1 < images.length && belongs(images[to + 1] as Playable)) to += 1;
  const count = to - from + 1;
  if (count < 2) return null;
  // Frames that cannot be found again make the file's own times useless.
  const timing = image.timing?.lasts.length === count ? image.timing : assumedTiming(count, image.frameRate);
  return { from, count, timing, frames: image.timing !== null };
}

/** True for what moves by itself in the reader's eyes: ultrasound loops whose speed is known. */
export function beginsByItself(clip: Clip | null, modality: string): boolean {
  return clip !== null && clip.frames && clip.timing.given && ['US', 'IVUS', 'EC'].includes(modality);
}

/** The image after `index` and the direction after it: from the start again, or to and fro. */
export function following(clip: Clip, index: number, direction: 1 | -1, sweep: boolean): { index: number; direction: 1 | -1 } {
  const at = index - clip.from;
  if (at < 0 || at >= clip.count) return { index: clip.from, direction: 1 };
  if (!sweep) return { index: clip.from + ((at + 1) % clip.count), direction: 1 };
  const turned = at + direction < 0 || at + direction >= clip.count ? ((-direction) as 1 | -1) : direction;
  return { index: index + turned, direction: turned };
}
