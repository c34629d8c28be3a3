// Asks for the words of a mark in a small dialog; Esc is no words.
import { h } from '../ui/dom';

const MOST = 120;

/** What the person wrote, or null. */
export function askWords(before: string, title = 'Words beside the arrow'): Promise<string | null> {
  const input = h('input', 'v-words', { type: 'text', maxlength: MOST, 'aria-label': title, autocomplete: 'off' });
  input.value = before;
  const form = h('form', '', { method: 'dialog' }, h('h2', '', { id: 'v-words-title' }, title), input,
    h('div', 'v-sacts', {}, h('button', 'v-btn', { type: 'submit', value: 'ok' }, 'OK'), h('button', 'v-btn v-quiet', { type: 'submit', value: '' }, 'Cancel')));
  const dialog = h('dialog', 'v-help v-ask', { 'aria-labelledby': 'v-words-title' }, form);
  const from = document.activeElement;
  return new Promise((resolve) => {
    dialog.addEventListener('keydown', (event) => event.stopPropagation());
    dialog.addEventListener('close', () => {
      const words = input.value.replace(/[\p{Cc}\p{Cs}]/gu, ' ').trim();
      dialog.remove();
      if (from instanceof HTMLElement) from.focus();
      resolve(dialog.returnValue === 'ok' && words ? words : null);
    });
    (document.querySelector('.v-root') ?? document.body).append(dialog);
    dialog.showModal();
    input.select();
  });
}
