// The first image while the metadata of its hundreds is still on its way: one instance, found by its number, painted from
// its own file. Says nothing when it fails: the series' own metadata follows and tells what is wrong.
import { readHeader } from './dicom/header';
import { type StackImage, readStack } from './dicom/images';
import { text } from './dicom/json';
import { readPart10 } from './dicom/part10';
import { isPlainGrey, readValues } from './dicom/pixels';
import { isPlain } from './dicom/syntaxes';
import { firstPicture } from './picture';
import { type Frame, type SeriesPaths, findNumbered, getFile } from './transfer/gateway';

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
    const file = instance ? await getFile(paths, instance, signal) : null;
    const header = file?.patient === patient ? readHeader(file.bytes) : null;
    if (!file || !header || text(header, '0020000D') !== paths.study || text(header, '0020000E') !== paths.series) return null;
    const image = readStack([header])[0];
    const { transferSyntax, frames: [bytes] } = await readPart10(file.bytes);
    if (!image || !bytes || image.instance !== instance) return null;
    const plain = isPlain(transferSyntax) && isPlainGrey(image);
    const frame: Frame = { syntax: transferSyntax, bytes, ...(plain ? { values: readValues(image, bytes) } : {}) };
    return { image, frame, canvas: await paint(image, frame, paths, signal) };
  } catch {
    return null;
  }
}
