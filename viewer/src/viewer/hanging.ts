// Hanging protocols as data: how many viewports for which kind of study, and what goes into each. The chooser is pure. What a
// person lays out or puts in afterwards is not touched again.
import type { Layout } from './grid';
import { type OutlineSeries, firstSeries, isDrawable } from './outline';

/** Series that a viewport wants: the first that fits, by the words of its description. `prior`: of the study beside it. */
export interface Place { prior?: boolean; words?: RegExp }
export interface Protocol { name: string; layout: Layout; modality: RegExp; words?: RegExp; withPrior: boolean; places: Place[] }

const VIEW = (side: string, view: string): RegExp => new RegExp(`(\\b${side}(?:eft|ight)?[\\s_-]*${view}\\b|\\b${view}[\\s_-]*${side}(?:eft|ight)?\\b)`, 'i');

export const PROTOCOLS: readonly Protocol[] = [
  { name: 'Mammography, four views', layout: '2x2', modality: /^MG$/, withPrior: false,
    places: [{ words: VIEW('r', 'cc') }, { words: VIEW('l', 'cc') }, { words: VIEW('r', 'mlo') }, { words: VIEW('l', 'mlo') }] },
  { name: 'CT chest with prior CT chest', layout: '1x2', modality: /^CT$/, words: /chest|thorax|lung/i, withPrior: true,
    places: [{ words: /lung/i }, { prior: true, words: /lung/i }] },
  { name: 'Echo', layout: '2x2', modality: /^US$/, words: /echo|transthoracic|transoesophageal|cardiac/i, withPrior: false, places: [{}, {}, {}, {}] },
  { name: 'Angiography', layout: '1x2', modality: /^XA$/, withPrior: false, places: [{}, {}] },
  { name: 'Current and prior', layout: '1x2', modality: /./, withPrior: true, places: [{}, { prior: true }] },
];

export interface Hung { title: string; series: readonly OutlineSeries[] }

/** The first protocol that fits the study, with or without one beside it; null: one viewport. It fits only if each of its places can be filled. */
export function protocolFor(current: Hung, prior: Hung | null): Protocol | null {
  const first = firstSeries([...current.series]);
  if (!first || !isDrawable(first)) return null;
  return PROTOCOLS.find((each) => each.withPrior === (prior !== null) && each.modality.test(first.modality)
    && (!each.words || each.words.test(`${current.title} ${first.description}`)) && hang(each, current, prior).every((series) => series !== null)) ?? null;
}

/** What goes into each place. Each series hangs once; a place whose words nothing fits takes the one that the study opens with, except where all its places name words. */
export function hang(protocol: Protocol, current: Hung, prior: Hung | null): (OutlineSeries | null)[] {
  const taken = new Set<OutlineSeries>();
  const strict = protocol.layout === '2x2';
  return protocol.places.map(({ prior: beside, words }) => {
    const free = (beside ? (prior?.series ?? []) : current.series).filter((series) => isDrawable(series) && !taken.has(series));
    const found = (words && free.find((series) => words.test(series.description))) ?? (words && strict ? undefined : firstSeries(free));
    if (found) taken.add(found);
    return found ?? null;
  });
}
