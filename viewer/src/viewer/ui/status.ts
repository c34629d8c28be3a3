// The line at the foot: how much is here, what is missing and what to do about it. Announces only when it settles.
import { type Icon, h, icon } from './dom';

export interface StatusAction { label: string; run: () => void }
export interface StatusLine { tone: 'busy' | 'ok' | 'warn' | 'bad'; strong?: string; text: string; actions?: StatusAction[] }

const ICON: Record<StatusLine['tone'], [Icon, string]> = {
  busy: ['load', 'v-i v-spin'], ok: ['ok', 'v-i v-ok'], warn: ['part', 'v-i v-warn'], bad: ['warn', 'v-i v-bad'],
};

export class StatusBar {
  readonly #line = h('span', 'v-sline');
  readonly #actions = h('span', 'v-sacts');
  readonly #spoken = h('span', 'v-hidden', { role: 'status' });
  readonly element: HTMLElement;
  #last = '';

  constructor(notForDiagnosis: string) {
    this.element = h('div', 'v-stat', {}, this.#line, this.#actions, h('span', 'v-grow'), h('span', 'v-nfd', {}, notForDiagnosis), this.#spoken);
  }

  show({ tone, strong = '', text, actions = [] }: StatusLine): void {
    const key = [tone, strong, text, ...actions.map((action) => action.label)].join('|');
    if (key === this.#last) return;
    this.#last = key;
    const [name, className] = ICON[tone];
    this.element.dataset.tone = tone;
    this.#line.replaceChildren(icon(name, className), h('span', '', {}, strong ? h('b', '', {}, strong) : null, strong && text ? ' ' : null, text));
    this.#line.title = [strong, text].filter(Boolean).join(' ');
    this.#actions.replaceChildren(...actions.map(({ label, run }) => {
      const button = h('button', 'v-btn v-btn-24', { type: 'button' }, label);
      button.addEventListener('click', run);
      return button;
    }));
    if (tone !== 'busy') this.#spoken.textContent = [strong, text].filter(Boolean).join(' ');
  }
}
