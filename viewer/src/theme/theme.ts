// The theme of a page: the person's own choice, else the EHR's style, else the system. Stores no patient data.
export type Choice = 'auto' | 'light' | 'dark';
const KEY = 'priors-theme';

export function isChoice(value: unknown): value is Choice {
  return value === 'auto' || value === 'light' || value === 'dark';
}

/** `storage` is a function because merely naming localStorage throws where a frame may not store. */
export function readChoice(storage: () => Pick<Storage, 'getItem'>): Choice {
  try {
    const value = storage().getItem(KEY);
    return isChoice(value) ? value : 'auto';
  } catch {
    return 'auto';
  }
}

export function writeChoice(storage: () => Pick<Storage, 'setItem' | 'removeItem'>, choice: Choice): void {
  try {
    if (choice === 'auto') storage().removeItem(KEY);
    else storage().setItem(KEY, choice);
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
