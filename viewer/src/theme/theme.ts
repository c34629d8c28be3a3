// The theme of a page: the person's own choice, else the EHR's style, else the system. Stores no patient data.
export type Choice = 'auto' | 'light' | 'dark';
const KEY = 'priors-theme';

export function readChoice(storage: Pick<Storage, 'getItem'>): Choice {
  try {
    const value = storage.getItem(KEY);
    return value === 'light' || value === 'dark' ? value : 'auto';
  } catch {
    return 'auto'; // storage is blocked in this frame: behave as if nothing was chosen
  }
}

export function writeChoice(storage: Pick<Storage, 'setItem' | 'removeItem'>, choice: Choice): void {
  try {
    if (choice === 'auto') storage.removeItem(KEY);
    else storage.setItem(KEY, choice);
  } catch {
    // the choice then lasts for this page only
  }
}

/** `ehr` is the theme that the EHR's style stands for (`--pr-ehr-theme`), empty when it has none. */
export function resolve(choice: Choice, ehr: string, systemDark: boolean): 'light' | 'dark' {
  if (choice !== 'auto') return choice;
  if (ehr === 'light' || ehr === 'dark') return ehr;
  return systemDark ? 'dark' : 'light';
}
