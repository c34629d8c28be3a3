// Which key does what in the viewer (design.md section 8). Pure; the help sheet is made from the same table.

export type Command =
  | 'window' | 'zoom' | 'pan' | 'scroll' | 'length' | 'angle' | 'ellipse' | 'rectangle' | 'bidirectional' | 'probe' | 'arrow' | 'marks' | 'delete'
  | 'next' | 'previous' | 'next10' | 'previous10' | 'first' | 'last' | 'nextSeries' | 'previousSeries' | 'play'
  | 'mpr' | 'invert' | 'rotate' | 'flip' | 'fit' | 'reset' | 'overlays' | 'report' | 'help' | 'close'
  | 'layout1' | 'layout2' | 'layout4' | 'link' | 'swap' | 'older'
  | 'preset1' | 'preset2' | 'preset3' | 'preset4' | 'preset5' | 'preset6';

const KEYS: Record<string, Command> = {
  arrowdown: 'next', arrowup: 'previous', pagedown: 'next10', pageup: 'previous10', home: 'first', end: 'last',
  arrowright: 'nextSeries', arrowleft: 'previousSeries', ' ': 'play',
  w: 'window', z: 'zoom', p: 'pan', s: 'scroll', l: 'length', a: 'angle', o: 'ellipse', q: 'rectangle', b: 'bidirectional', v: 'probe', n: 'arrow', d: 'marks', delete: 'delete', backspace: 'delete',
  1: 'preset1', 2: 'preset2', 3: 'preset3', 4: 'preset4', 5: 'preset5', 6: 'preset6',
  m: 'mpr', i: 'invert', r: 'rotate', h: 'flip', f: 'fit', 0: 'reset', t: 'overlays', e: 'report', k: 'link', x: 'swap', '?': 'help', escape: 'close',
};

// With Alt some keyboards give another character: the key's place counts.
const LAYOUTS: Record<string, Command> = { 1: 'layout1', 2: 'layout2', 4: 'layout4' };

export interface Pressed { key: string; ctrlKey: boolean; metaKey: boolean; altKey: boolean; shiftKey: boolean; code?: string }

/** The command of a key press, or null. Letters give way to every modifier; `letters` false switches them off (WCAG 2.1.4). */
export function commandOf(pressed: Pressed, letters: boolean): Command | null {
  if (pressed.ctrlKey || pressed.metaKey) return null;
  if (pressed.altKey) return pressed.shiftKey ? null : (LAYOUTS[/^(?:Digit|Numpad)(\d)$/.exec(pressed.code ?? '')?.[1] ?? pressed.key] ?? null);
  if (pressed.shiftKey && pressed.key !== '?') return null;
  const single = pressed.key.length === 1 && pressed.key !== ' ';
  if (single && !letters) return null;
  return KEYS[pressed.key.toLowerCase()] ?? null;
}

export const SHEET: { title: string; rows: [string, string[]][] }[] = [
  { title: 'Move in the images', rows: [
    ['Next, previous image', ['\u2193', '\u2191']], ['10 images', ['PgDn', 'PgUp']], ['First, last', ['Home', 'End']],
    ['Next, previous series', ['\u2192', '\u2190']], ['Play or stop', ['Space']],
  ] },
  { title: 'Tools', rows: [
    ['Window', ['W']], ['Zoom', ['Z']], ['Pan', ['P']], ['Scroll', ['S']], ['Length', ['L']], ['Angle', ['A']],
    ['Ellipse, rectangle', ['O', 'Q']], ['Two diameters', ['B']], ['Value at a point', ['V']], ['Arrow with words', ['N']], ['List of marks', ['D']],
    ['Move a mark\u2019s end', ['Shift', '\u2190\u2191\u2192\u2193']], ['Delete selected mark', ['Del']],
  ] },
  { title: 'Picture', rows: [
    ['Presets 1 to 6', ['1', '6']], ['Three planes (MPR)', ['M']], ['Invert', ['I']], ['Rotate right', ['R']], ['Flip', ['H']], ['Fit', ['F']], ['Reset all', ['0']],
  ] },
  { title: 'Compare', rows: [
    ['One, two, four images', ['Alt', '1 2 4']], ['Other viewport', ['Tab']], ['Link or unlink', ['K']], ['Swap sides', ['X']],
  ] },
  { title: 'Anywhere', rows: [['Overlays on or off', ['T']], ['Report beside the images', ['E']], ['This sheet', ['?']], ['Back to the list', ['Esc']]] },
];
