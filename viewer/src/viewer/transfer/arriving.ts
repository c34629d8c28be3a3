// One DICOM file of a series as it arrives: cut into frames and, where it is a plain grey image, already turned into values.
// Runs in a worker, beside the page; knows neither. What the values were read with travels along, to be compared there.
import { type StackImage, readStack } from '../dicom/images';
import { readHeader } from '../dicom/header';
import { readPart10 } from '../dicom/part10';
import { type Values, isPlainGrey, readValues } from '../dicom/pixels';
import { isPlain } from '../dicom/syntaxes';

/** How stored bytes become values. */
export type Reading = Pick<StackImage, 'rows' | 'columns' | 'samples' | 'photometric' | 'bitsAllocated' | 'bitsStored' | 'highBit' | 'signed' | 'slope' | 'intercept'>;

/** `values` instead of `frames` where there was nothing to decode. */
export interface Arrived {
  instance: string;
  transferSyntax: string;
  frames: Uint8Array<ArrayBuffer>[];
  values: { read: Values; as: Reading } | null;
}

export async function readArrived(file: Uint8Array<ArrayBuffer>): Promise<Arrived> {
  const { instance, transferSyntax, frames } = await readPart10(file);
  const header = frames.length === 1 && isPlain(transferSyntax) ? readHeader(file) : null;
  const image = header ? readStack([header])[0] : undefined;
  if (!image || image.instance !== instance || !isPlainGrey(image)) return { instance, transferSyntax, frames, values: null };
  const read = readValues(image, frames[0] as Uint8Array<ArrayBuffer>);
  const { rows, columns, samples, photometric, bitsAllocated, bitsStored, highBit, signed, slope, intercept } = image;
  return { instance, transferSyntax, frames: [], values: { read, as: { rows, columns, samples, photometric, bitsAllocated, bitsStored, highBit, signed, slope, intercept } } };
}

/** True where the metadata reads the same stored bytes in the same way. */
export function agrees(image: Reading, as: Reading): boolean {
  return (Object.keys(as) as (keyof Reading)[]).every((key) => image[key] === as[key]);
}
