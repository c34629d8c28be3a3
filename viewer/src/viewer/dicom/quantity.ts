// What the numbers of an image mean: Hounsfield units, activity, SUV, or nothing that may be named. Pure.
// SUV by body weight as QIBA's profile computes it; where one needed header is missing or in doubt there is none, and why.
import { type Dataset, items, number, text, texts } from './json';

const CT = '1.2.840.10008.5.1.4.1.1.2';

export interface Quantity {
  readonly unit: "[hnsf'U]" | 'Bq/ml' | '1';
  readonly suv: number | null; // value of a pixel times this is SUV, g/ml
  readonly remark: string;     // why there is no SUV; empty where nobody expects one
}

export function readQuantity(set: Dataset): Quantity {
  const modality = text(set, '00080060');
  if (modality === 'CT') {
    const type = text(set, '00281054') ?? (text(set, '00080016') === CT ? 'HU' : ''); // absent in a CT Image means HU (C.8.2.1)
    return { unit: type === 'HU' && set['00281053'] && set['00281052'] ? "[hnsf'U]" : '1', suv: null, remark: '' };
  }
  if (modality !== 'PT') return { unit: '1', suv: null, remark: '' };
  if (text(set, '00541001') !== 'BQML') return { unit: '1', suv: null, remark: 'SUV not known: the units are not Bq/ml' };
  const found = suvFactor(set);
  return typeof found === 'number' ? { unit: 'Bq/ml', suv: found, remark: '' } : { unit: 'Bq/ml', suv: null, remark: `SUV not known: ${found}` };
}

/** The factor, or why there is none. */
export function suvFactor(set: Dataset): number | string {
  const corrected = texts(set, '00280051');
  if (!corrected.includes('ATTN') || !corrected.includes('DECY')) return 'not corrected for attenuation and decay';
  const correction = text(set, '00541102');
  if (correction !== 'START' && correction !== 'ADMIN') return 'decay correction not given';
  const weight = number(set, '00101030');
  if (!weight || weight <= 0 || weight > 700) return 'weight not given';
  const given = items(set, '00540016');
  const drug = given[0];
  if (given.length !== 1 || !drug) return 'radiopharmaceutical not given';
  const dose = number(drug, '00181074');
  if (!dose || dose <= 0) return 'dose not given';
  const half = number(drug, '00181075');
  if (!half || half <= 0) return 'half life not given';
  if (correction === 'ADMIN') return (weight * 1000) / dose;
  const scan = seconds(text(set, '00080021'), text(set, '00080031'));
  const acquired = seconds(text(set, '00080022'), text(set, '00080032'));
  if (scan === null || acquired === null || scan > acquired) return 'start of the scan not given';
  const at = text(drug, '00181078');
  const injected = at ? seconds(at.slice(0, 8), at.slice(8)) : seconds(text(set, '00080021'), text(drug, '00181072'));
  if (injected === null || injected > scan || scan - injected > 86_400) return 'time of injection not given';
  return (weight * 1000) / (dose * 2 ** (-(scan - injected) / half));
}

// Seconds since 1970 of a DA and a TM; zones are left out, since both are of one scanner.
function seconds(day: string | undefined, time: string | undefined): number | null {
  const d = /^(\d{4})(\d{2})(\d{2})$/.exec(day ?? '');
  const t = /^(\d{2})(\d{2})(\d{2}(?:\.\d{1,6})?)/.exec(time ?? '');
  return d && t ? Date.UTC(Number(d[1]), Number(d[2]) - 1, Number(d[3])) / 1000 + Number(t[1]) * 3600 + Number(t[2]) * 60 + Number(t[3]) : null;
}
