// The line above the planes: slab, thickness, what is under the cross, how much of the volume is in, how to leave.
import { h, icon } from '../ui/dom';
import type { SlabMode } from './reslice';

export type SlabChoice = 'thin' | SlabMode;
interface Wanted { slab: (choice: SlabChoice, thickness: number) => void; again: () => void; leave: () => void }

export const THICKEST = 60;  // mm
const CHOICES: [SlabChoice, string, string][] = [
  ['thin', 'Thin', 'One plane'], ['mip', 'MIP', 'Brightest value in the slab'], ['minip', 'MinIP', 'Darkest value in the slab'], ['mean', 'Mean', 'Mean of the slab'],
];

export class MprBar {
  readonly element: HTMLElement;
  readonly #buttons = new Map<SlabChoice, HTMLButtonElement>();
  readonly #range = h('input', 'v-mpr-range', { type: 'range', min: 1, max: THICKEST, step: 1, value: 10, 'aria-label': 'Slab thickness, mm' });
  readonly #mm = h('output', 'v-mpr-mm', { 'aria-live': 'off' }, '10 mm');
  readonly #cross = h('span', 'v-mpr-cross', { 'data-cross': '' });
  readonly #state = h('span', 'v-mpr-state', { role: 'status' });
  readonly #notes = h('span', 'v-mpr-notes');
  #choice: SlabChoice = 'thin';

  constructor(private readonly wanted: Wanted) {
    for (const [choice, name, title] of CHOICES) {
      const button = h('button', 'v-tool', { type: 'button', title, 'aria-pressed': 'false', 'data-slab': choice }, name);
      button.addEventListener('click', () => this.#choose(choice));
      this.#buttons.set(choice, button);
    }
    this.#range.addEventListener('input', () => this.#choose(this.#choice === 'thin' ? 'mip' : this.#choice));
    const leave = h('button', 'v-btn v-btn-24', { type: 'button', 'data-mpr-leave': '' }, icon('x'), 'Back to the stack');
    leave.addEventListener('click', () => this.wanted.leave());
    this.element = h('div', 'v-mpr-bar', { role: 'group', 'aria-label': 'Planes' },
      h('span', 'v-mpr-slab', { role: 'group', 'aria-label': 'Slab' }, ...this.#buttons.values()), this.#range, this.#mm, this.#cross, this.#state, leave, this.#notes);
    this.#press();
  }

  #choose(choice: SlabChoice): void {
    this.#choice = choice;
    this.#press();
    this.wanted.slab(choice, Number(this.#range.value));
  }

  #press(): void {
    for (const [choice, button] of this.#buttons) button.setAttribute('aria-pressed', String(choice === this.#choice));
    this.#mm.textContent = `${this.#range.value} mm`;
    this.#range.setAttribute('aria-valuetext', `${this.#range.value} mm`);
  }

  cross(text: string): void {
    this.#cross.textContent = text;
  }

  notes(texts: string[]): void {
    this.#notes.textContent = texts.join(' \u00b7 ');
    this.#notes.title = texts.join(' \u00b7 ');
  }

  state(text: string, warn: boolean, again: boolean): void {
    if (this.#state.dataset.text === text) return;
    this.#state.dataset.text = text;
    this.#state.classList.toggle('v-warn', warn);
    const button = h('button', 'v-btn v-btn-24', { type: 'button' }, 'Try again');
    button.addEventListener('click', () => this.wanted.again());
    this.#state.replaceChildren(...[text, ...(again ? [' ', button] : [])]);
  }
}
