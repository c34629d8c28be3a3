// All that was chosen, sorted for a person to look at: people with their studies, other files, and what is left out with the reason.
import type { Header, Kind } from './header';
import type { Item } from './item';
import { type Likeness, type Person, likeness } from './people';

export interface Looked { item: Item; kind: Kind; header: Header | null }
export interface Study { uid: string; title: string; date: string; items: Item[]; bytes: number; thick: boolean; asked: boolean; chosen: boolean }
export interface Owner { name: string; born: string; is: Likeness; studies: Study[] }
export interface Loose { label: string; items: Item[]; bytes: number; chosen: boolean }
export interface Survey { read: number; owners: Owner[]; loose: Loose[]; left: Item[]; table: Item[] }
export interface Asked { modality: string; from: string; to: string; thin: boolean }

const THICK = 2.5; // mm: thinner slices are what a second reader asks for
const LABELS: Partial<Record<Kind, [string, string]>> = { photo: ['Photo', 'Photos'], pdf: ['PDF document', 'PDF documents'], zip: ['Zip file', 'Zip files'] };

export function survey(looked: Looked[], person: Person | null, asked: Asked | null): Survey {
  const owners = new Map<string, Owner>();
  const loose = new Map<string, Loose>();
  const result: Survey = { read: looked.length, owners: [], loose: [], left: [], table: [] };
  for (const { item, kind, header } of looked) {
    if (kind === 'other') result.left.push(item);
    else if (kind === 'dicomdir') result.table.push(item);
    else if (kind === 'dicom' && header) addTo(owners, item, header, person, asked);
    else addLoose(loose, item, kind);
  }
  const order: Record<Likeness, number> = { same: 0, unsure: 1, doubt: 2, other: 3 };
  result.owners = [...owners.values()].sort((a, b) => order[a.is] - order[b.is]);
  for (const owner of result.owners) owner.studies.sort((a, b) => Number(b.asked) - Number(a.asked) || b.date.localeCompare(a.date));
  result.loose = [...loose.values()];
  return result;
}

/** What would be sent as it is ticked now. The disc's table of contents names all its people: it goes along only when all of them do. */
export function chosen(found: Survey): Item[] {
  const studies = found.owners.flatMap((owner) => owner.studies).filter((study) => study.chosen).flatMap((study) => study.items);
  const rest = found.loose.filter((one) => one.chosen).flatMap((one) => one.items);
  const everybody = studies.length > 0 && found.owners.every((owner) => owner.studies.every((study) => study.chosen));
  return [...studies, ...(everybody ? found.table : []), ...rest];
}

function addTo(owners: Map<string, Owner>, item: Item, header: Header, person: Person | null, asked: Asked | null): void {
  const key = `${header.patient.toLocaleUpperCase('en')}|${header.born}|${header.patient ? '' : header.patientId}`;
  const owner = owners.get(key) ?? { name: header.patient, born: header.born, is: likeness(person, header.patient, header.born), studies: [] };
  owners.set(key, owner);
  let study = owner.studies.find((one) => one.uid === header.study);
  if (!study) {
    const matches = asked !== null && (!asked.modality || asked.modality === header.modality) && within(header.date, asked);
    study = { uid: header.study, title: header.description || (header.modality ? `${header.modality} images` : 'Images'), date: header.date, items: [], bytes: 0,
      thick: header.thickness !== null, asked: matches && owner.is === 'same', chosen: owner.is === 'same' || owner.is === 'unsure' };
    owner.studies.push(study);
  }
  study.items.push(item);
  study.bytes += item.size;
  if (header.thickness === null || header.thickness <= THICK) study.thick = false;
}

function within(date: string, asked: Asked): boolean {
  const iso = /^\d{8}$/.test(date) ? `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}` : '';
  return Boolean(asked.modality || asked.from || asked.to) && (!asked.from || (iso !== '' && iso >= asked.from)) && (!asked.to || (iso !== '' && iso <= asked.to));
}

function addLoose(loose: Map<string, Loose>, item: Item, kind: Kind): void {
  const label = LABELS[kind]?.[1] ?? 'Images that could not be read here';
  const one = loose.get(label) ?? { label, items: [], bytes: 0, chosen: true };
  one.items.push(item);
  one.bytes += item.size;
  loose.set(label, one);
}
