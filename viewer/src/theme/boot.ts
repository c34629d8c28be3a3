// Runs before the first paint of every page (a classic script in the head): sets the theme, says that scripts run.
import { type Choice, readChoice, resolve } from './theme';

const root = document.documentElement;
root.classList.add('js');
const dark = matchMedia('(prefers-color-scheme: dark)');

function storage(): Pick<Storage, 'getItem'> {
  try {
    return localStorage;
  } catch {
    return { getItem: () => null };
  }
}

function paint(choice: Choice = readChoice(storage())): void {
  const ehr = getComputedStyle(root).getPropertyValue('--pr-ehr-theme').trim();
  root.dataset['bsTheme'] = resolve(choice, ehr, dark.matches);
}

paint();
dark.addEventListener('change', () => paint());
document.addEventListener('priors:theme', (event) => paint((event as CustomEvent<Choice>).detail));
