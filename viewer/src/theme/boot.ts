// Runs before the first paint of every page (a classic script in the head): owns the theme, says that scripts run.
// Nothing else may import './theme', or this file would need a second request and could no longer be a classic script.
import { type Choice, isChoice, readChoice, resolve, writeChoice } from './theme';

const root = document.documentElement;
root.classList.add('js');
const dark = matchMedia('(prefers-color-scheme: dark)');
let choice: Choice = readChoice(() => localStorage);

function paint(): void {
  const ehr = getComputedStyle(root).getPropertyValue('--pr-ehr-theme').trim();
  root.dataset['themeChoice'] = choice;
  root.dataset['bsTheme'] = resolve(choice, ehr, dark.matches);
}

paint();
dark.addEventListener('change', paint);
document.addEventListener('priors:theme', (event) => {
  const wanted: unknown = (event as CustomEvent<unknown>).detail;
  if (!isChoice(wanted)) return;
  choice = wanted;
  writeChoice(() => localStorage, choice);
  paint();
});
