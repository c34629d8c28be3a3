// What a radiation dose report adds up to (PS3.16 TID 10001 and 10011): totals and one line an irradiation. Pure.
// Numbers and units are the file's own: nothing is summed or converted here.
import { type Node, find, walk } from './tree';

export interface DoseLine { label: string; values: Record<string, string> }
export interface DoseSummary { totals: [string, string][]; columns: string[]; events: DoseLine[] }

const TOTALS: [string, string][] = [
  ['113813', 'Total DLP'], ['113812', 'Irradiations'], ['113722', 'Total dose area product (DAP)'], ['113725', 'Total dose at reference point'],
  ['113726', 'Fluoroscopy DAP'], ['113727', 'Acquisition DAP'], ['113730', 'Fluoroscopy time'], ['113731', 'Number of frames'],
];
const PER_EVENT: [string, string][] = [['113830', 'CTDIvol'], ['113838', 'DLP'], ['122130', 'DAP'], ['113738', 'Dose at reference point'], ['113764', 'kVp'], ['113733', 'kVp']];
const EVENTS = new Set(['113819', '113706']);

export function doseOf(root: Node): DoseSummary {
  const sums = [...walk(root)].filter((one) => one.name && ['113811', '113702', '113704'].includes(one.name.value));
  const totals = TOTALS.flatMap(([code, label]): [string, string][] => {
    const told = (sums.length ? sums : [root]).flatMap((sum) => [...walk(sum)].filter((one) => one.type === 'NUM' && one.name?.value === code)).map(quantity);
    return told.length ? [[label, [...new Set(told)].join('; ')]] : []; // two planes have two totals
  });
  const events = [...walk(root)].filter((one) => one.name && EVENTS.has(one.name.value)).map((event, index): DoseLine => {
    const values: Record<string, string> = {};
    for (const [code, column] of PER_EVENT) {
      const found = find(event, code);
      if (found?.type === 'NUM' && !values[column]) values[column] = quantity(found);
    }
    const words = [find(event, '125203')?.value, find(event, '113820', '113721')?.value, find(event, '123014')?.value].filter(Boolean);
    return { label: words.join(' \u00b7 ') || `Irradiation ${index + 1}`, values };
  });
  const columns = [...new Set(PER_EVENT.map(([, column]) => column))].filter((column) => events.some((event) => event.values[column]));
  return { totals, columns, events };
}

export function quantity(node: Node): string {
  return [node.value, node.unit].filter(Boolean).join(' ');
}
