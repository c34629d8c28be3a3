// The buttons that lay viewports out and link them, in the head of an open study.
import type { Layout } from '../grid';
import type { Command } from '../keys';
import { type Icon, h, icon } from './dom';

const LAYOUTS: [Layout, Command, string, Icon, string][] = [
  ['1x1', 'layout1', 'One image', 'one', 'Alt+1'], ['1x2', 'layout2', 'Two images', 'two', 'Alt+2'], ['2x2', 'layout4', 'Four images', 'four', 'Alt+4'],
];

export class LayoutButtons {
  readonly #layouts = new Map<Layout, HTMLButtonElement>();
  readonly #link = h('button', 'v-btn v-linkbtn', { type: 'button', 'aria-pressed': 'true', 'data-command': 'link', title: 'Link the images (K)' }, icon('link'), h('span', 'v-linkword', {}, 'Linked'));
  readonly #several = h('span', 'v-several', { hidden: true }, this.#link);
  readonly element: HTMLElement;

  constructor(run: (command: Command) => void) {
    this.#link.addEventListener('click', () => run('link'));
    for (const [command, name, glyph, key] of [['swap', 'Swap sides', 'swap', 'X']] as const) {
      const button = h('button', 'v-btn v-btn-ico', { type: 'button', 'aria-label': name, title: `${name} (${key})`, 'data-command': command }, icon(glyph));
      button.addEventListener('click', () => run(command));
      this.#several.append(button);
    }
    const seg = h('span', 'v-seg', { role: 'group', 'aria-label': 'Layout' }, ...LAYOUTS.map(([layout, command, name, glyph, key]) => {
      const button = h('button', 'v-btn v-btn-ico', { type: 'button', 'aria-label': name, title: `${name} (${key})`, 'aria-pressed': layout === '1x1' ? 'true' : 'false', 'data-command': command }, icon(glyph));
      button.addEventListener('click', () => run(command));
      this.#layouts.set(layout, button);
      return button;
    }));
    this.element = h('span', 'v-layouts', {}, this.#several, seg);
  }

  laid(current: Layout): void {
    for (const [layout, button] of this.#layouts) button.setAttribute('aria-pressed', String(layout === current));
    this.#several.hidden = current === '1x1';
  }

  linked(on: boolean): void {
    this.#link.setAttribute('aria-pressed', String(on));
    this.#link.querySelector('.v-linkword')?.replaceChildren(on ? 'Linked' : 'Link');
  }
}
