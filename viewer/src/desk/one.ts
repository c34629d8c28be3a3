// One request left open: when it has changed, the page is read again, but never while somebody writes or has a menu open.

export interface OneOptions {
  readonly url: string;
  readonly launch: string;
  readonly version: number;
  readonly seconds: number;
  readonly busy: () => boolean;
  readonly again: () => void;
  readonly waits: () => void;
  readonly ended: () => void;
  readonly fetch?: typeof fetch;
}

/** Ask once; true: ask again later. */
export async function lookAtOne(options: OneOptions): Promise<boolean> {
  try {
    const answer = await (options.fetch ?? fetch)(options.url, { credentials: 'same-origin', cache: 'no-store', headers: { Accept: 'application/json' } });
    if (answer.status === 401 || answer.status === 403 || answer.status === 404) {
      options.ended();
      return false;
    }
    const told: unknown = answer.ok ? await answer.json() : null;
    if (typeof told !== 'object' || told === null) return true;
    const { launch, version } = told as Record<string, unknown>;
    if (launch !== options.launch || typeof version !== 'number' || version === options.version) return true;
    if (options.busy()) options.waits();
    else options.again();
    return options.busy();
  } catch {
    return true; // no network: the next look will tell
  }
}

export function bindOne(options: OneOptions): void {
  const timer = setInterval(() => {
    if (document.hidden) return;
    void lookAtOne(options).then((goesOn) => {
      if (!goesOn) clearInterval(timer);
    });
  }, options.seconds * 1000);
}
