// The line above a viewport where there are several: which study this is, from when and where, and which of its series.
import type { OutlineSeries } from '../outline';
import { h } from './dom';

export interface Captioned { role: string; date: string; hospital: string; series: readonly OutlineSeries[]; current: OutlineSeries | null }

export class Caption {
  readonly #role = h('span', 'v-role');
  readonly #date = h('b');
  readonly #hospital = h('span', 'v-dim v-grow');
  readonly #pick = h('select', 'v-pick');
  readonly element = h('div', 'v-cap', { hidden: true }, this.#role, this.#date, this.#hospital, this.#pick);
  #series: readonly OutlineSeries[] = [];

  constructor(onPick: (series: OutlineSeries) => void) {
    this.#pick.addEventListener('change', () => {
      const chosen = this.#series[Number(this.#pick.value)];
      if (chosen) onPick(chosen);
    });
  }

  /** Null: nothing is in the viewport. */
  show(said: Captioned | null): void {
    this.#role.textContent = said?.role ?? 'Empty';
    this.#role.dataset.role = said?.role ?? 'Empty';
    this.#date.textContent = said?.date ?? '';
    this.#hospital.textContent = said?.hospital ?? 'Choose a series below';
    this.#hospital.title = said?.hospital ?? '';
    this.#pick.hidden = !said;
    this.#pick.setAttribute('aria-label', `Series, ${said?.role ?? ''} ${said?.date ?? ''}`);
    this.#series = said?.series ?? [];
    this.#pick.replaceChildren(...this.#series.map((each, i) => h('option', '', { value: i, selected: each === said?.current },
      [each.number, each.description || each.word || each.modality].filter(Boolean).join(' '))));
  }
}
