// Title line of an open study: what it is, where and when it was made, and the ways out.
import type { Outline } from '../outline';
import { h, icon } from './dom';

export function head({ study, elsewhere }: Outline, close: () => void, widen: () => boolean, layouts: HTMLElement): HTMLElement {
  const list = h('button', 'v-btn v-list', { type: 'button' }, icon('left'), 'List');
  const wide = h('button', 'v-btn v-btn-ico', { type: 'button', 'aria-label': 'Larger view', 'aria-pressed': 'false', title: 'Larger view' }, icon('full'));
  const cross = h('button', 'v-btn v-btn-ico v-quiet', { type: 'button', 'aria-label': 'Close', title: 'Close (Esc)' }, icon('x'));
  list.addEventListener('click', close);
  cross.addEventListener('click', close);
  wide.addEventListener('click', () => wide.setAttribute('aria-pressed', String(widen())));
  return h('header', 'v-head', {}, list, h('div', 'v-titles', {}, h('h2', '', { title: study.title }, study.title),
    h('div', 'v-sub', {}, [study.hospital, [study.date, study.when].filter(Boolean).join(', ')].filter(Boolean).join(' · '))), layouts, ...away(elsewhere), wide, cross);
}

/** The ways to other viewers: one is a link, several are a menu. Each opens a tab that cannot reach this one. */
function away(ways: Outline['elsewhere']): HTMLElement[] {
  const link = (way: { name: string; href: string }, text: string, name: string): HTMLElement =>
    h('a', name, { href: way.href, target: '_blank', rel: 'noopener noreferrer', title: `Open in ${way.name}, in a new tab` }, text);
  const [first] = ways;
  if (!first) return [];
  if (ways.length === 1) return [link(first, `Open in ${first.name}`, 'v-btn v-away')];
  const list = h('div', 'v-awaylist', {}, ...ways.map((way) => link(way, way.name, 'v-btn')));
  const menu = h('details', 'v-away', {}, h('summary', 'v-btn', {}, 'Open in …'), list);
  const shut = (refocus: boolean): void => {
    menu.removeAttribute('open');
    if (refocus) menu.querySelector('summary')?.focus();
  };
  menu.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !menu.hasAttribute('open')) return;
    event.stopPropagation();
    shut(true);
  });
  menu.addEventListener('focusout', (event) => {
    if (event.relatedTarget instanceof Node && !menu.contains(event.relatedTarget)) shut(false);
  });
  return [menu];
}

/** What is known to be missing from the study, for as long as it is open; nothing when nothing is. `of` names the study where there are several. */
export function gaps({ gaps: said }: Outline, of = ''): HTMLElement | null {
  return said.length > 0 ? h('p', 'v-gaps', { role: 'note' }, icon('part', 'v-i v-warn'), h('span', '', {}, [of, ...said].filter(Boolean).join(' '))) : null;
}
