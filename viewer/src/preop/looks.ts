// Has each case looked for once: two at a time, so that one page does not hold the server's threads.

export interface Looks {
  readonly paths: readonly string[];
  readonly csrf: string;
  /** One case has been looked for. */
  readonly looked: () => Promise<void>;
  readonly failed: (path: string, words: string) => void;
  readonly fetch?: typeof fetch;
}

const AT_ONCE = 2;

export async function lookAll(looks: Looks): Promise<void> {
  const left = [...looks.paths];
  const ask = looks.fetch ?? fetch.bind(globalThis);
  const one = async (): Promise<void> => {
    for (let path = left.shift(); path !== undefined; path = left.shift()) {
      try {
        const answer = await ask(path, { method: 'POST', body: new URLSearchParams({ csrf: looks.csrf }), credentials: 'same-origin', cache: 'no-store', headers: { Accept: 'application/json' } });
        if (answer.ok) await looks.looked();
        else looks.failed(path, await wordsOf(answer));
      } catch {
        looks.failed(path, 'Not looked for: no answer. Load the page again to try again.');
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

/** What happened, in the server's own words. */
async function wordsOf(answer: Response): Promise<string> {
  try {
    const told: unknown = await answer.json();
    const title = (told as { error?: { title?: unknown } }).error?.title;
    if (typeof title === 'string') return title;
  } catch {
    // no words
  }
  return 'Not looked for: the server refused.';
}
