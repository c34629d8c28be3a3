// The sheet of keys: a modal dialog, made from the same table that the keys come from.
import { SHEET } from '../keys';
import { h, icon } from './dom';

/** Opens the sheet; `letters` is the state of the single-letter switch and onLetters hears of its change. */
export function openHelp(host: HTMLElement, letters: boolean, onLetters: (on: boolean) => void): void {
  const close = h('button', 'v-btn v-btn-ico v-quiet', { type: 'button', 'aria-label': 'Close' }, icon('x'));
  const box = h('input', '', { type: 'checkbox' });
  box.checked = letters;
  box.addEventListener('change', () => onLetters(box.checked));
  const dialog = h('dialog', 'v-help', { 'aria-labelledby': 'v-help-title' },
    h('div', 'v-helphead', {}, h('h2', '', { id: 'v-help-title' }, 'Keyboard'),
      h('span', 'v-dim', {}, 'Press ', h('kbd', '', {}, '?'), ' or ', h('kbd', '', {}, 'Esc'), ' to close'), close),
    h('div', 'v-helpcols', {}, ...SHEET.map(({ title, rows }) => h('section', '', {}, h('h3', '', {}, title), h('dl', '', {},
      ...rows.map(([what, keys]) => h('div', '', {}, h('dt', '', {}, what), h('dd', '', {}, ...keys.map((key) => h('kbd', '', {}, key))))))))),
    h('label', 'v-helpfoot', {}, box, ' Single-letter keys, while the viewer has the focus'));
  const before = document.activeElement;
  dialog.addEventListener('close', () => {
    dialog.remove();
    if (before instanceof HTMLElement) before.focus();
  });
  dialog.addEventListener('keydown', (event) => {
    event.stopPropagation();
    if (event.key === '?') dialog.close();
  });
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
  close.addEventListener('click', () => dialog.close());
  host.append(dialog);
  dialog.showModal(); // the browser keeps focus inside and closes on Esc
}
