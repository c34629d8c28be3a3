// Which reader an instance is for, by what it is (its SOP class), not by what its series is called. Each is its own chunk.
import { type Dataset, items, text } from '../dicom/json';
import { ViewerFault } from '../transfer/gateway';
import type { Leaf, LeafHandle } from './sheet';

export type Reader = (leaf: Leaf) => Promise<LeafHandle>;

const CLASSES = '1.2.840.10008.5.1.4.1.1.';
const ECG = new Set(['9.1.1', '9.1.2', '9.1.3', '9.1.4'].map((end) => CLASSES + end));
const DOSE = new Set(['88.67', '88.68', '88.73', '88.74', '88.75', '88.76'].map((end) => CLASSES + end));

export type LeafKind = 'ecg' | 'key' | 'dose' | 'report' | 'pdf' | 'cda' | 'unknown';

/** What an instance is. */
export function leafKind(set: Dataset): LeafKind {
  const sop = text(set, '00080016') ?? '';
  if (ECG.has(sop)) return 'ecg';
  if (sop === `${CLASSES}88.59`) return 'key';
  if (sop === `${CLASSES}104.1`) return 'pdf';
  if (sop === `${CLASSES}104.2`) return 'cda';
  if (DOSE.has(sop)) return 'dose';
  if (sop.startsWith(`${CLASSES}88.`) || text(set, '0040A040') === 'CONTAINER') return 'report';
  return 'unknown';
}

export async function readerOf(set: Dataset): Promise<Reader> {
  switch (leafKind(set)) {
    case 'ecg': return (await import('./ecg/paper')).ecg;
    case 'report': return (await import('./sr/paper')).report;
    case 'dose': return (await import('./sr/paper')).dose;
    case 'key': return (await import('./sr/paper')).keyImages;
    default: throw new ViewerFault('unknown-paper', 'This kind of object is not read here.', 'Open it in the archive\u2019s own viewer.', null, 0);
  }
}

/** What it is called, by its own file. */
export function titleOf(set: Dataset): string {
  const concept = items(set, '0040A043')[0];
  const own = text(set, '00420010') ?? (concept ? text(concept, '00080104') : undefined) ?? text(set, '0008103E');
  return own ?? ({ ecg: 'ECG', key: 'Key images', dose: 'Dose report', report: 'Structured report', pdf: 'Document', cda: 'Document', unknown: 'Document' }[leafKind(set)]);
}
