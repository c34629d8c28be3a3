// The bar under a loop: play, frame, time, speed, loop or sweep, R waves. Says what was chosen; does nothing itself.
import { h, icon } from './dom';

export interface ScrubberWants {
  toggle: () => void;
  frame: (frame: number) => void; // from 0
  speed: (times: number) => void;
  sweep: (on: boolean) => void;
  begins: (on: boolean) => void;
  clip: (step: 1 | -1) => void;
}

export interface ScrubberSetup {
  count: number;
  speeds: readonly number[];
  speed: number;
  sweep: boolean;
  /** Beats as shares of the clip, 0 to 1. */
  beats: readonly number[];
  heartRate: number | null;
  /** Whether loops begin by themselves; null where this one never would. */
  begins: boolean | null;
  /** Whether there are images before and after this clip. */
  before: boolean;
  after: boolean;
}

export class Scrubber {
  readonly element: HTMLElement;
  readonly #play = h('button', 'v-sbtn', { type: 'button', 'aria-label': 'Play' }, icon('play'));
  readonly #before = h('button', 'v-sbtn', { type: 'button', 'aria-label': 'Clip before', title: 'Clip before' }, '\u2039');
  readonly #after = h('button', 'v-sbtn', { type: 'button', 'aria-label': 'Next clip', title: 'Next clip' }, '\u203a');
  readonly #range = h('input', 'v-range', { type: 'range', min: 1, step: 1, 'aria-label': 'Frame' });
  readonly #beats = h('span', 'v-beats', { 'aria-hidden': 'true' });
  readonly #where = h('span', 'v-where');
  readonly #pace = h('span', 'v-pace');
  readonly #speed = h('select', 'v-speed', { 'aria-label': 'Speed' });
  readonly #sweep = h('button', 'v-sbtn', { type: 'button', 'aria-pressed': 'false', 'aria-label': 'Sweep: play to and fro', title: 'Sweep: play to and fro' }, '\u21c4');
  readonly #begins = h('button', 'v-sbtn', { type: 'button', 'aria-pressed': 'false', 'aria-label': 'Loops begin by themselves', title: 'Loops begin by themselves' }, 'Auto');

  constructor(wants: ScrubberWants) {
    this.element = h('div', 'v-loop', { role: 'group', 'aria-label': 'Loop', hidden: true },
      this.#before, this.#play, this.#after, h('span', 'v-track', {}, this.#beats, this.#range), this.#where, this.#pace, this.#speed, this.#sweep, this.#begins);
    this.#before.addEventListener('click', () => wants.clip(-1));
    this.#after.addEventListener('click', () => wants.clip(1));
    this.#play.addEventListener('click', () => wants.toggle());
    this.#range.addEventListener('input', () => wants.frame(Number(this.#range.value) - 1));
    this.#range.addEventListener('keydown', (event) => { if (event.key === ' ') { event.preventDefault(); wants.toggle(); } });
    this.#speed.addEventListener('change', () => wants.speed(Number(this.#speed.value)));
    this.#sweep.addEventListener('click', () => wants.sweep(this.#flip(this.#sweep)));
    this.#begins.addEventListener('click', () => wants.begins(this.#flip(this.#begins)));
    // What is done here is not done to the picture under it.
    for (const event of ['pointerdown', 'mousedown', 'touchstart', 'wheel', 'dblclick']) this.element.addEventListener(event, (each) => each.stopPropagation(), { passive: true });
  }

  #flip(button: HTMLElement): boolean {
    const on = button.getAttribute('aria-pressed') !== 'true';
    button.setAttribute('aria-pressed', String(on));
    return on;
  }

  /** Shows the bar for a clip, or takes it away. */
  setup(clip: ScrubberSetup | null): void {
    this.element.hidden = clip === null;
    if (!clip) return;
    this.#range.max = String(clip.count);
    this.#sweep.setAttribute('aria-pressed', String(clip.sweep));
    this.#begins.hidden = clip.begins === null;
    [this.#before.hidden, this.#after.hidden] = [!clip.before, !clip.after];
    this.#begins.setAttribute('aria-pressed', String(clip.begins === true));
    this.#speed.replaceChildren(...clip.speeds.map((each) => h('option', '', { value: each, selected: each === clip.speed }, `${each}\u00d7`)));
    this.#beats.replaceChildren(...clip.beats.map((share) => {
      const beat = h('i', 'v-beat');
      beat.style.left = `${share * 100}%`;
      return beat;
    }));
    const count = clip.beats.length;
    const waves = count > 0 ? `${count} R ${count === 1 ? 'wave' : 'waves'} marked` : '';
    this.#beats.title = waves;
    this.element.setAttribute('aria-label', ['Loop', clip.heartRate ? `heart rate ${clip.heartRate} a minute` : '', waves].filter(Boolean).join(', '));
  }

  /** `text`: "Frame 3 of 60, 67 ms", which is what the slider is read as. */
  at(frame: number, text: string): void {
    this.#range.value = String(frame + 1);
    this.#range.setAttribute('aria-valuetext', text);
    this.#where.textContent = text;
  }

  playing(on: boolean): void {
    this.#play.replaceChildren(icon(on ? 'pause' : 'play'));
    this.#play.setAttribute('aria-label', on ? 'Stop' : 'Play');
  }

  pace(text: string, slow: boolean): void {
    if (this.#pace.textContent !== text) this.#pace.textContent = text;
    this.#pace.classList.toggle('v-slow', slow);
  }
}
