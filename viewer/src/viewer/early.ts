// The first image while the metadata of its hundreds is still on its way: one instance, found by its number, painted from
// its own pixels. Says nothing when it fails: the series' own metadata follows and tells what is wrong.
import { type StackImage, readStack } from './dicom/images';
import { firstPicture } from './picture';
import { type Frame, type SeriesPaths, findNumbered, getFrame, getMetadata } from './transfer/gateway';

/** One image with its bytes and its picture, painted before the rest of its series was known. */
export interface Early { image: StackImage; frame: Frame; canvas: HTMLCanvasElement }

const WORTH_IT = 30; // of fewer images the metadata is there as soon

/** Instance Number 1, which most series begin with; null when there is no quick way to it. Never rejects. */
export async function earlyImage(
  paths: SeriesPaths, patient: string, counted: number | null, signal: AbortSignal, paint = firstPicture,
): Promise<Early | null> {
  if (counted !== null && counted < WORTH_IT) return null;
  try {
    const instance = await findNumbered(paths, 1, signal);
    if (!instance) return null;
    const [metadata, frame] = await Promise.all([getMetadata(paths, signal, instance), getFrame(paths, instance, 1, signal)]);
    const image = metadata.patient === patient ? readStack(metadata.sets)[0] : undefined;
    if (!image || image.instance !== instance || image.frame !== 1) return null;
    return { image, frame, canvas: await paint(image, frame, paths, signal) };
  } catch {
    return null;
  }
}
