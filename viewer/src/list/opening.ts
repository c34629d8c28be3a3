// Opens and closes a study: the address, the layout, the viewer (loaded only when needed), and focus on the way back.
import type { Candidate } from './candidates';

type Request = { launch: string; patient: string; archive: string; study: string };
type Others = () => readonly Candidate[];
type Viewer = {
  openStudy(pane: HTMLElement, request: Request, others: Others): Promise<void>;
  openCompare(pane: HTMLElement, current: Request, prior: Request, others: Others): Promise<void>;
  closeStudy(): void;
};
let viewer: Promise<Viewer> | undefined;
const load = (): Promise<Viewer> => (viewer ??= import('../viewer/main') as Promise<Viewer>);

/** Fetches the viewer's code while nothing else is to do. */
export function prefetch(): void {
  const later = window.requestIdleCallback ?? ((run: () => void) => setTimeout(run, 400));
  later(() => void load().catch(() => (viewer = undefined)));
}

const PATIENCE = 1000; // ms

/** Resolves when the study that is being opened shows its first picture or says why not, at the latest after a second. */
function pictured(pane: HTMLElement): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (['shown', 'document', 'error', 'ended'].includes(pane.dataset['state'] ?? '')) resolve();
    };
    document.addEventListener('priors:first-picture', () => resolve(), { once: true });
    new MutationObserver(look).observe(pane, { attributeFilter: ['data-state'] });
    setTimeout(resolve, PATIENCE);
  });
}

export class Opening {
  readonly #app: HTMLElement;
  readonly #pane: HTMLElement;
  readonly #base: string;
  readonly #row: (uid: string) => HTMLElement | undefined;
  readonly #select: (uid: string) => void;
  readonly #others: Others;
  #open = '';
  /** A study named by the address whose row has not arrived yet. */
  #wanted = '';

  constructor(app: HTMLElement, row: (uid: string) => HTMLElement | undefined, select: (uid: string) => void, others: Others) {
    this.#app = app;
    this.#pane = document.getElementById('viewer-pane') as HTMLElement;
    this.#base = `/l/${app.dataset['launch']}/studies`;
    this.#row = row;
    this.#select = select;
    this.#others = others;
    addEventListener('popstate', () => this.follow());
    document.addEventListener('priors:closed', () => this.close());
  }

  get current(): string {
    return this.#open;
  }

  /** When the list may be asked for: a study that the page was opened for comes first, it has the same cores and the same line. */
  get done(): Promise<void> {
    return this.#open ? pictured(this.#pane) : Promise.resolve();
  }

  /** Shows what the address names: after load, and after Back or Forward. */
  follow(): void {
    const uid = /\/studies\/([0-9.]+)$/.exec(location.pathname)?.[1] ?? '';
    if (uid === this.#open) return;
    if (!uid) return this.#shut();
    this.#wanted = uid;
    this.arrived();
  }

  /** Called when rows came in: opens the wanted one if it is among them. `final` gives up waiting. */
  arrived(final = false): void {
    if (!this.#wanted) return;
    if (this.#row(this.#wanted)) {
      const uid = this.#wanted;
      this.#wanted = '';
      void this.#show(uid);
    } else if (final) {
      this.#wanted = '';
      this.#shut();
      history.replaceState(null, '', this.#base);
      document.dispatchEvent(new CustomEvent('priors:not-listed'));
    }
  }

  open(uid: string): void {
    this.#wanted = '';
    if (uid === this.#open) {
      this.#pane.focus();
      return;
    }
    if (!this.#row(uid)?.dataset['archive']) return;
    history.pushState(null, '', `${this.#base}/${uid}`);
    void this.#show(uid);
  }

  /** Shows two studies beside each other; the current one is the one that the address names. */
  compare(current: string, prior: string): void {
    this.#wanted = '';
    if (!this.#request(current) || !this.#request(prior)) return;
    if (current !== this.#open) history.pushState(null, '', `${this.#base}/${current}`);
    void this.#show(current, prior);
  }

  #request(uid: string): Request | null {
    const archive = this.#row(uid)?.dataset['archive'];
    return archive ? { launch: this.#app.dataset['launch'] ?? '', patient: this.#app.dataset['patient'] ?? '', archive, study: uid } : null;
  }

  close(): void {
    if (!this.#open && this.#app.dataset['view'] === 'list') return;
    history.pushState(null, '', this.#base);
    this.#shut();
  }

  async #show(uid: string, beside = ''): Promise<void> {
    const request = this.#request(uid);
    if (!request) return this.#shut();
    this.#open = uid;
    this.#select(uid);
    this.#app.dataset['view'] = 'study';
    // Focus stays in the list, unless the list gave its place to the viewer.
    if (this.#row(uid)?.offsetParent) this.#row(uid)?.scrollIntoView({ block: 'nearest' });
    else this.#pane.focus();
    try {
      const code = await load();
      if (this.#open !== uid) return;
      const prior = beside ? this.#request(beside) : null;
      if (prior) await code.openCompare(this.#pane, request, prior, this.#others);
      else await code.openStudy(this.#pane, request, this.#others);
    } catch {
      if (this.#open !== uid) return;
      viewer = undefined;
      this.#failed(uid);
    }
  }

  #failed(uid: string): void {
    const box = document.createElement('div');
    box.className = 'center';
    const title = document.createElement('h2');
    title.textContent = 'The viewer could not be loaded';
    const text = document.createElement('p');
    text.textContent = 'Our side, or the network between. The study itself is not affected.';
    const again = document.createElement('button');
    again.type = 'button';
    again.className = 'btn btn-primary btn-big';
    again.textContent = 'Try again';
    again.addEventListener('click', () => void this.#show(uid));
    box.append(title, text, again);
    this.#pane.replaceChildren(box);
  }

  #shut(): void {
    const was = this.#open;
    this.#open = '';
    this.#app.dataset['view'] = 'list';
    delete this.#app.dataset['wide'];
    this.#select('');
    if (!was) return;
    void viewer?.then((code) => code.closeStudy()).catch(() => undefined);
    this.#row(was)?.querySelector<HTMLElement>('[data-stop]')?.focus({ preventScroll: true });
    this.#row(was)?.scrollIntoView({ block: 'nearest' });
  }
}
