// Choices of the person that outlive a study: about keys and playing only, never about a patient. Kept by `prefs`, and in
// this browser too, so that they hold from the first moment of a page.
import { prefs } from './prefs';

const LETTERS = 'priors.letters';
const AUTOPLAY = 'priors.autoplay';

function read(name: string): boolean {
  try { return localStorage.getItem(name) !== 'off'; } catch { return true; } // storage may be blocked in a frame
}

function write(name: string, on: boolean): void {
  try { localStorage.setItem(name, on ? 'on' : 'off'); } catch { /* lasts for this page only */ }
}

export const singleLetters = {
  get on(): boolean { return prefs.isTheirs('letters') ? prefs.get('letters') : read(LETTERS); },
  set on(on: boolean) { write(LETTERS, on); prefs.set('letters', on); },
};

/** Whether loops of ultrasound begin by themselves. */
export const autoplay = {
  get on(): boolean { return prefs.isTheirs('autoplay') ? prefs.get('autoplay') : read(AUTOPLAY); },
  set on(on: boolean) { write(AUTOPLAY, on); prefs.set('autoplay', on); },
};
