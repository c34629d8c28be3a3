// Choices of the person that outlive a study: about keys only, never about a patient.

const LETTERS = 'priors.letters';

export const singleLetters = {
  get on(): boolean {
    try { return localStorage.getItem(LETTERS) !== 'off'; } catch { return true; } // storage may be blocked in a frame
  },
  set on(on: boolean) {
    try { localStorage.setItem(LETTERS, on ? 'on' : 'off'); } catch { /* lasts for this page only */ }
  },
};
