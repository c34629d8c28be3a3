// Choices of the person that outlive a study: about keys and playing only, never about a patient.

const LETTERS = 'priors.letters';
const AUTOPLAY = 'priors.autoplay';

function read(name: string): boolean {
  try { return localStorage.getItem(name) !== 'off'; } catch { return true; } // storage may be blocked in a frame
}

function write(name: string, on: boolean): void {
  try { localStorage.setItem(name, on ? 'on' : 'off'); } catch { /* lasts for this page only */ }
}

export const singleLetters = {
  get on(): boolean { return read(LETTERS); },
  set on(on: boolean) { write(LETTERS, on); },
};

/** Whether loops of ultrasound begin by themselves. */
export const autoplay = {
  get on(): boolean { return read(AUTOPLAY); },
  set on(on: boolean) { write(AUTOPLAY, on); },
};
