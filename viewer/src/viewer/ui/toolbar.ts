// The bar of tools above the picture. Shows which tool is on and says which command was chosen; does nothing itself.
import type { Command } from '../keys';
import type { Preset, Window } from '../windows';
import { type Icon, h, icon } from './dom';

export const DRAG_TOOLS = ['window', 'zoom', 'pan', 'scroll', 'length', 'angle', 'ellipse', 'rectangle', 'bidirectional', 'probe', 'arrow'] as const;
export type DragTool = (typeof DRAG_TOOLS)[number];

interface Wanted { command: (command: Command) => void; preset: (preset: Preset) => void; window: (window: Window) => void }

const NAMES: Partial<Record<Command, [string, Icon, string]>> = {
  window: ['Window', 'wl', 'W'], zoom: ['Zoom', 'zoom', 'Z'], pan: ['Pan', 'pan', 'P'], scroll: ['Scroll', 'stack', 'S'],
  length: ['Length', 'ruler', 'L'], angle: ['Angle', 'angle', 'A'], delete: ['Delete selected mark', 'trash', 'Del'],
  marks: ['Marks', 'ruler', 'K'],
  mpr: ['Three planes (MPR)', 'planes', 'M'], invert: ['Invert', 'inv', 'I'], rotate: ['Rotate right', 'rot', 'R'], flip: ['Flip', 'flip', 'H'], fit: ['Fit', 'fit', 'F'],
  play: ['Play', 'play', 'Space'], overlays: ['Overlays', 'text', 'T'], reset: ['Reset all', 'reset', '0'], help: ['Keyboard', 'kbd', '?'],
};

export class Toolbar {
  readonly element: HTMLElement;
  readonly #buttons = new Map<Command, HTMLButtonElement>();
  readonly #preset = h('button', 'v-tool v-presetbtn', { type: 'button', 'aria-expanded': 'false' });
  readonly #menu = h('div', 'v-menu', { role: 'group', 'aria-label': 'Window presets', hidden: true });
  readonly #width = h('input', 'v-num', { type: 'number', min: 1, step: 1, 'aria-label': 'Window width' });
  readonly #level = h('input', 'v-num', { type: 'number', step: 1, 'aria-label': 'Window level' });
  readonly #side = h('span', 'v-side');
  readonly #folded = h('div', 'v-folded');
  #presets: Preset[] = [];

  constructor(private readonly wanted: Wanted) {
    const more = h('button', 'v-tool v-more', { type: 'button', 'aria-expanded': 'false', 'aria-label': 'More tools', title: 'More tools' }, icon('more'));
    more.addEventListener('click', () => more.setAttribute('aria-expanded', String(this.#folded.classList.toggle('v-open'))));
    this.#folded.append(...(['mpr', 'invert', 'rotate', 'flip', 'fit', 'play', 'overlays', 'delete', 'marks', 'help'] as const).map((each) => this.#button(each)));
    this.#folded.addEventListener('click', () => { this.#folded.classList.remove('v-open'); more.setAttribute('aria-expanded', 'false'); });
    this.#preset.addEventListener('click', () => this.#open(this.#menu.hidden));
    this.#menu.addEventListener('change', () => this.#typed());
    this.#menu.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') { event.stopPropagation(); this.#open(false); this.#preset.focus(); }
    });
    const windowButton = this.#button('window', true);
    this.element = h('div', 'v-tbar', { role: 'toolbar', 'aria-label': 'Image tools' },
      windowButton, h('span', 'v-presets', {}, this.#preset, this.#menu), h('span', 'v-sep'),
      this.#button('zoom'), this.#button('pan'), this.#button('scroll'), h('span', 'v-sep'),
      this.#button('length'), this.#button('angle'), h('span', 'v-sep'), more, this.#folded, this.#button('reset'), this.#side);
    this.element.addEventListener('keydown', (event) => this.#rove(event));
    this.#roving(windowButton);
  }

  #button(command: Command, worded = false): HTMLButtonElement {
    const [name, glyph, key] = NAMES[command] ?? [command, 'more', ''];
    const drags = (DRAG_TOOLS as readonly string[]).includes(command);
    const toggles = drags || command === 'mpr' || command === 'invert' || command === 'overlays' || command === 'play' || command === 'marks';
    const button = h('button', 'v-tool', {
      type: 'button', title: `${name} (${key})`, 'aria-label': name, 'aria-pressed': toggles ? 'false' : null, 'data-command': command,
    }, icon(glyph), worded ? h('span', 'v-label', {}, name) : h('span', 'v-word', { 'aria-hidden': 'true' }, name));
    button.addEventListener('click', () => this.wanted.command(command));
    this.#buttons.set(command, button);
    return button;
  }

  press(command: Command, on: boolean): void {
    this.#buttons.get(command)?.setAttribute('aria-pressed', String(on));
  }

  tool(active: DragTool): void {
    for (const each of DRAG_TOOLS) this.press(each, each === active);
  }

  playing(on: boolean, name: string): void {
    const button = this.#buttons.get('play');
    if (!button) return;
    this.press('play', on);
    button.replaceChildren(icon(on ? 'pause' : 'play'), h('span', 'v-word', { 'aria-hidden': 'true' }, name));
    button.setAttribute('aria-label', name);
  }

  /** Marks a tool as not usable here; it stays reachable, so that it can say why. */
  allow(command: Command, allowed: boolean, why = ''): void {
    const button = this.#buttons.get(command);
    if (!button) return;
    button.toggleAttribute('data-off', !allowed);
    button.setAttribute('aria-disabled', String(!allowed));
    const [name, , key] = NAMES[command] ?? [command, 'more', ''];
    button.title = allowed ? `${name} (${key})` : why;
  }

  side(text: string): void {
    this.#side.textContent = text;
  }

  presets(presets: Preset[], keyed: boolean): void {
    this.#presets = presets;
    this.#menu.replaceChildren(...presets.map((preset, i) => {
      const values = Number.isNaN(preset.width) ? '' : `W ${Math.round(preset.width)} · L ${Math.round(preset.center)}`;
      const button = h('button', 'v-item', { type: 'button' }, h('span', '', {}, preset.name), h('span', 'v-dim', {}, values),
        keyed && i < 6 ? h('kbd', '', {}, String(i + 1)) : h('span'));
      button.addEventListener('click', () => { this.#open(false); this.#preset.focus(); this.wanted.preset(preset); });
      return button;
    }), h('div', 'v-fields', {}, h('label', '', {}, 'W ', this.#width), h('label', '', {}, 'L ', this.#level)));
    this.#preset.parentElement?.toggleAttribute('hidden', presets.length === 0);
  }

  window(current: Window | null, name: string): void {
    this.#preset.replaceChildren(h('span', '', {}, name), icon('down', 'v-i v-i-s'));
    this.#preset.setAttribute('aria-label', `Window preset, ${name}`);
    if (!current || this.#menu.contains(document.activeElement)) return;
    this.#width.value = String(Math.round(current.width));
    this.#level.value = String(Math.round(current.center));
  }

  preset(n: number): Preset | undefined {
    return this.#presets[n - 1];
  }

  closeMenus(): void {
    this.#open(false);
  }

  #open(open: boolean): void {
    this.#menu.hidden = !open;
    this.#preset.setAttribute('aria-expanded', String(open));
    if (open) this.#menu.querySelector<HTMLElement>('button')?.focus();
  }

  #typed(): void {
    const width = Number(this.#width.value);
    const center = Number(this.#level.value);
    if (width >= 1 && Number.isFinite(center) && this.#level.value !== '') this.wanted.window({ width, center });
  }

  // One tab stop for the whole bar, arrows between its buttons (ARIA toolbar pattern).
  #rove(event: KeyboardEvent): void {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (!step || this.#menu.contains(document.activeElement)) return;
    const shown = [...this.element.querySelectorAll<HTMLButtonElement>('button.v-tool')].filter((button) => button.offsetParent !== null);
    const at = shown.indexOf(document.activeElement as HTMLButtonElement);
    const target = shown[(at + step + shown.length) % shown.length];
    if (at < 0 || !target) return;
    event.preventDefault();
    event.stopPropagation();
    this.#roving(target);
    target.focus();
  }

  #roving(current: HTMLButtonElement): void {
    for (const button of this.element.querySelectorAll<HTMLButtonElement>('button.v-tool')) button.tabIndex = button === current ? 0 : -1;
  }
}
