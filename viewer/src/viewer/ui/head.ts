// Title line of an open study: what it is, where and when it was made, and the ways out.
import type { Outline } from '../outline';
import { h, icon } from './dom';

export function head({ study }: Outline, close: () => void, widen: () => boolean): HTMLElement {
  const list = h('button', 'v-btn v-list', { type: 'button' }, icon('left'), 'List');
  const wide = h('button', 'v-btn v-btn-ico', { type: 'button', 'aria-label': 'Larger view', 'aria-pressed': 'false', title: 'Larger view' }, icon('full'));
  const cross = h('button', 'v-btn v-btn-ico v-quiet', { type: 'button', 'aria-label': 'Close', title: 'Close (Esc)' }, icon('x'));
  list.addEventListener('click', close);
  cross.addEventListener('click', close);
  wide.addEventListener('click', () => wide.setAttribute('aria-pressed', String(widen())));
  return h('header', 'v-head', {}, list, h('div', 'v-titles', {}, h('h2', '', { title: study.title }, study.title),
    h('div', 'v-sub', {}, [study.hospital, [study.date, study.when].filter(Boolean).join(', ')].filter(Boolean).join(' · '))), wide, cross);
}

/** What is known to be missing from the study, for as long as it is open; nothing when nothing is. */
export function gaps({ gaps: said }: Outline): HTMLElement | null {
  return said.length > 0 ? h('p', 'v-gaps', { role: 'note' }, icon('part', 'v-i v-warn'), h('span', '', {}, said.join(' '))) : null;
}
