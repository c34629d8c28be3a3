// The strip over the list: puts the server's words in place, folds chips that do not fit, opens the details.
import { copyDesk } from './desk';
import { foldWord, keep } from './fold';
import type { StripEvent } from './stream';

const part = (html: string, name: string): string => {
  const template = document.createElement('template');
  template.innerHTML = html;
  return template.content.querySelector(`[data-part="${name}"]`)?.innerHTML ?? '';
};

export class SourceStrip {
  readonly #strip: HTMLElement;
  readonly #panel: HTMLElement;
  readonly #body: HTMLElement;
  readonly #states: HTMLElement;
  #askedAt = Date.now();
  #opener: { key: string } | null = null;

  constructor(onRetry: (key: string | null) => void) {
    const by = (id: string): HTMLElement => document.getElementById(id) as HTMLElement;
    this.#strip = by('strip');
    this.#panel = by('sources');
    this.#body = by('sources-body');
    this.#states = by('states');
    document.addEventListener('click', (event) => {
      const target = event.target instanceof Element ? event.target : null;
      const retry = target?.closest<HTMLElement>('[data-retry]');
      if (retry) return onRetry(retry.dataset['retry'] ?? null);
      if (target?.closest('[data-retry-all]')) return onRetry(null);
      const copy = target?.closest<HTMLElement>('[data-copy]');
      if (copy) return void copyDesk(copy);
      const show = target?.closest<HTMLElement>('[data-show]');
      if (show) return this.#toggle(show.dataset['show'] ?? '');
      if (target?.closest('#sources [data-close]')) return this.close(true);
      if (!this.#panel.hidden && target?.isConnected && !this.#panel.contains(target)) this.close(false);
    });
    new ResizeObserver(() => this.fit()).observe(this.#strip);
    setInterval(() => this.#tick(), 1000);
    this.fit();
    void document.fonts.ready.then(() => this.fit());
  }

  get open(): boolean {
    return !this.#panel.hidden;
  }

  /** The keys of sources that failed and may be asked again. */
  get failed(): string[] {
    return [...this.#strip.querySelectorAll<HTMLElement>('[data-retry]')].map((one) => one.dataset['retry'] ?? '');
  }

  /** Whether all were asked and all answered in full, as the strip says it. */
  get isWhole(): boolean {
    return this.#strip.classList.contains('t-all');
  }

  /** The keys of sources that have not answered yet. */
  get pending(): string[] {
    return [...this.#strip.querySelectorAll<HTMLElement>('li[data-state=asking]')].map((one) => one.dataset['source'] ?? '').filter(Boolean);
  }

  asking(): void {
    this.#askedAt = Date.now();
  }

  update(event: StripEvent): void {
    const active = document.activeElement;
    const inStrip = active instanceof HTMLElement && this.#strip.contains(active) ? (active.dataset['show'] ?? active.dataset['retry'] ?? '') : null;
    const inPanel = active instanceof HTMLElement && this.#body.contains(active);
    this.#strip.className = `strip t-${event.tone.replace(/[^a-z-]/g, '')}`;
    this.#strip.innerHTML = event.html;
    const states = part(event.notes_html, 'states');
    if (this.#states.innerHTML !== states) this.#states.innerHTML = states;
    const unfolded = [...this.#body.querySelectorAll<HTMLElement>('.desk[open]')].map((one) => one.dataset['desk'] ?? '');
    this.#body.innerHTML = part(event.notes_html, 'sources');
    for (const key of unfolded) this.#body.querySelector(`[data-desk="${CSS.escape(key)}"]`)?.setAttribute('open', '');
    if (this.#opener && this.open) this.#mark(this.#opener.key);
    this.#tick();
    this.fit();
    if (inStrip !== null) this.#strip.querySelector<HTMLElement>(`[data-show="${CSS.escape(inStrip)}"]`)?.focus();
    if (inPanel) document.getElementById('sources-title')?.focus();
  }

  fit(): void {
    const list = this.#strip.querySelector<HTMLElement>('.srcs');
    const fold = list?.querySelector<HTMLElement>('.fold');
    if (!list || !fold) return;
    const items = [...list.querySelectorAll<HTMLElement>('li[data-source]')];
    items.forEach((item) => (item.hidden = false));
    fold.hidden = false;
    const states = items.map((item) => item.dataset['state'] ?? '');
    // Measured with its longest word: what it will say is known only once it is known how many it holds.
    const label = fold.querySelector('.foldword');
    if (label) label.textContent = `${states.length} answered`;
    const chips = items.map((item, i) => ({ width: item.getBoundingClientRect().width, state: states[i] ?? '' }));
    const kept = keep(chips, list.clientWidth, fold.getBoundingClientRect().width);
    items.forEach((item, i) => (item.hidden = i >= kept));
    fold.hidden = kept === items.length;
    if (!fold.hidden) this.#foldInto(fold, states.slice(kept));
  }

  #foldInto(fold: HTMLElement, states: readonly string[]): void {
    const { word, mark, tone } = foldWord(states);
    const label = fold.querySelector('.foldword');
    if (label) label.textContent = word;
    fold.querySelector('use')?.setAttribute('href', `#i-${mark}`);
    fold.querySelector('svg')?.setAttribute('class', `i i-s ${tone}`);
  }

  close(refocus: boolean): void {
    if (this.#panel.hidden) return;
    this.#panel.hidden = true;
    const key = this.#opener?.key ?? '';
    this.#opener = null;
    if (!refocus) return;
    const back = [...this.#strip.querySelectorAll<HTMLElement>('[data-show]')].find((one) => one.dataset['show'] === key && one.offsetParent) ?? this.#strip.querySelector<HTMLElement>('[data-show]');
    back?.focus();
  }

  #toggle(key: string): void {
    if (this.open && this.#opener?.key === key) return this.close(true);
    this.#opener = { key };
    this.#panel.hidden = false;
    const detail = this.#mark(key);
    (detail ?? document.getElementById('sources-title'))?.focus({ preventScroll: true });
    detail?.scrollIntoView({ block: 'nearest' });
  }

  #mark(key: string): HTMLElement | null {
    let found: HTMLElement | null = null;
    for (const one of this.#body.querySelectorAll<HTMLElement>('.sd')) {
      const on = key !== '' && one.dataset['detail'] === key;
      one.classList.toggle('on', on);
      if (on) found = one;
    }
    return found;
  }

  #tick(): void {
    const seconds = Math.floor((Date.now() - this.#askedAt) / 1000);
    if (seconds < 1) return;
    for (const one of this.#strip.querySelectorAll('[data-tick]')) one.textContent = `${seconds} s`;
  }
}
