// The file behind a paper, taken only if it came for this patient.
import { type PaperSource } from './registry';
import { ViewerFault, getFile } from '../transfer/gateway';
import { readMeta } from '../dicom/part10';

const MOST = 200_000_000;

/** The whole file of one instance. */
export async function fileOf(source: PaperSource, instance: string): Promise<Uint8Array<ArrayBuffer>> {
  const file = await getFile(source, instance, source.signal);
  const named = (() => { try { return readMeta(file.bytes).instance; } catch { return ''; } })();
  if (file.patient !== source.patient || (named && named !== instance)) {
    throw new ViewerFault('mismatch', 'The answer was for another patient or object, so it was not shown.', 'Open the Images tab again from the patient\u2019s chart.', null, 0);
  }
  if (file.bytes.length > MOST) throw new ViewerFault('too-large', 'This file is too large to be read here.', 'Open it in the archive\u2019s own viewer.', null, 0);
  return file.bytes;
}
