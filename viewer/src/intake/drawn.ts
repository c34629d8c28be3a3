// Pictures of received studies as the server draws them: one question for several of one study, each told as soon as it is drawn.

export interface Study { item: string; title: string; whose: string; images: number }
export interface Drawn { at: number; words: string; picture: string | null }
/** One image of all studies on the page. */
export interface Spot { study: number; at: number }

/** Asks for these images of one study; `each` is called for each as it comes. Rejects when there was no answer, or not all of it. */
export async function ask(url: string, places: number[], each: (one: Drawn) => void, signal?: AbortSignal): Promise<void> {
  const answer = await fetch(`${url}at=${places.join(',')}`, { credentials: 'same-origin', ...(signal ? { signal } : {}) });
  if (!answer.ok || !answer.body) throw new Error(String(answer.status));
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = '';
  let told = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const lines = (held + part.value).split('\n');
    held = lines.pop() ?? '';
    for (const line of lines) {
      each(JSON.parse(line) as Drawn);
      told += 1;
    }
  }
  if (told < places.length) throw new Error('broken off');
}

/** `by` images further through all studies, and no further than the first and the last. */
export function moved(studies: readonly Study[], from: Spot, by: number): Spot {
  const starts = studies.map((_, at) => studies.slice(0, at).reduce((sum, one) => sum + one.images, 0));
  const all = studies.reduce((sum, one) => sum + one.images, 0);
  const to = Math.min(all - 1, Math.max(0, (starts[from.study] ?? 0) + from.at + by));
  const study = starts.reduce((found, start, at) => (start <= to && (studies[at]?.images ?? 0) > 0 ? at : found), 0);
  return { study, at: to - (starts[study] ?? 0) };
}

/** The places to ask for when `at` is wanted: it, and those next in this direction that are not known yet. */
export function ahead(at: number, images: number, backwards: boolean, isKnown: (place: number) => boolean, most = 8): number[] {
  const found: number[] = [];
  for (let place = at; place >= 0 && place < images && found.length < most && !(found.length > 0 && isKnown(place)); place += backwards ? -1 : 1) found.push(place);
  return found;
}
