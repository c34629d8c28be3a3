// Where each piece of each lead stands on the paper, in millimetres. Pure: draws nothing.
import { type Lead, isTwelve } from './leads';

export type Form = '3x4' | '12x1';
export interface Scale { speed: number; gain: number }

/** One stretch of one lead. `x` in mm is where sample `from` stands, `y` where 0 mV stands. */
export interface Strip { lead: Lead; row: number; x: number; y: number; from: number; to: number; first: boolean }
export interface Page { form: Form; width: number; height: number; seconds: number; strips: Strip[]; rows: number[]; /** Where the trace begins, after the pulse. */ left: number }

const LEFT = 12;
const RIGHT = 3;
const ROW = { '3x4': 28, '12x1': 16 } as const;
const COLUMNS = [['I', 'II', 'III'], ['aVR', 'aVL', 'aVF'], ['V1', 'V2', 'V3'], ['V4', 'V5', 'V6']] as const;
export const WINDOW = 10;

/** The forms a recording can be read in: 3 x 4 needs all twelve. */
export function formsOf(leads: Lead[]): Form[] {
  return isTwelve(leads) ? ['3x4', '12x1'] : ['12x1'];
}

/** Ten seconds from `begin` (seconds), or what is left of them. */
export function pageOf(leads: Lead[], rate: number, samples: number, form: Form, { speed, gain }: Scale, begin = 0): Page {
  const start = Math.min(Math.max(0, Math.round(begin * rate)), samples);
  const stop = Math.min(samples, start + Math.round(WINDOW * rate));
  const seconds = (stop - start) / rate;
  const height = Math.max(ROW[form], form === '12x1' ? 1.6 * gain : 2.8 * gain);
  const x = (sample: number): number => LEFT + ((sample - start) / rate) * speed;
  const strips: Strip[] = [];
  const place = (lead: Lead | undefined, row: number, from: number, to: number, first: boolean): void => {
    if (lead && to > from) strips.push({ lead, row, x: x(from), y: 5 + height * (row + 0.5), from, to, first });
  };
  const byName = (name: string): Lead | undefined => leads.find((lead) => lead.name === name);
  if (form === '3x4') {
    const edge = (column: number): number => Math.round(start + ((stop - start) * column) / 4);
    COLUMNS.forEach((names, column) => names.forEach((name, row) => place(byName(name), row, edge(column), edge(column + 1), column === 0)));
    place(byName('II'), 3, start, stop, true);
  } else {
    leads.forEach((lead, row) => place(lead, row, start, stop, true));
  }
  const rows = form === '3x4' ? 4 : leads.length;
  return {
    form, seconds, strips, left: LEFT, width: Math.ceil((LEFT + seconds * speed + RIGHT) / 5) * 5, height: Math.ceil((5 + rows * height + 5) / 5) * 5,
    rows: Array.from({ length: rows }, (_, row) => 5 + height * (row + 0.5)),
  };
}

/** The curve as an SVG path in mm: one point a sample, a new beginning after each gap. */
export function pathOf(strip: Strip, values: Float64Array, rate: number, { speed, gain }: Scale): string {
  const out: string[] = [];
  let pen = false;
  for (let at = strip.from; at < strip.to; at += 1) {
    const value = values[at] as number;
    if (Number.isNaN(value)) { pen = false; continue; }
    const x = strip.x + ((at - strip.from) / rate) * speed;
    out.push(`${pen ? 'L' : 'M'}${round(x)} ${round(strip.y - value * gain)}`);
    pen = true;
  }
  return out.join('');
}

function round(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}

