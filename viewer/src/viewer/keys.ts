// Which key does what in the viewer (design.md section 8). Pure; the help sheet is made from the same table.

export type Command =
  | 'window' | 'zoom' | 'pan' | 'scroll' | 'length' | 'angle' | 'ellipse' | 'rectangle' | 'bidirectional' | 'probe' | 'arrow' | 'marks' | 'delete'
  | 'next' | 'previous' | 'next10' | 'previous10' | 'first' | 'last' | 'nextSeries' | 'previousSeries' | 'play'
  | 'mpr' | 'invert' | 'rotate' | 'flip' | 'fit' | 'reset' | 'overlays' | 'help' | 'close'
  | 'preset1' | 'preset2' | 'preset3' | 'preset4' | 'preset5' | 'preset6';

const KEYS: Record<string, Command> = {
  arrowdown: 'next', arrowup: 'previous', pagedown: 'next10', pageup: 'previous10', home: 'first', end: 'last',
  arrowright: 'nextSeries', arrowleft: 'previousSeries', ' ': 'play',
  w: 'window', z: 'zoom', p: 'pan', s: 'scroll', l: 'length', a: 'angle', e: 'ellipse', q: 'rectangle', b: 'bidirectional', v: 'probe', n: 'arrow', k: 'marks', delete: 'delete', backspace: 'delete',
  1: 'preset1', 2: 'preset2', 3: 'preset3', 4: 'preset4', 5: 'preset5', 6: 'preset6',
  m: 'mpr', i: 'invert', r: 'rotate', h: 'flip', f: 'fit', 0: 'reset', t: 'overlays', '?': 'help', escape: 'close',
};

export interface Pressed { key: string; ctrlKey: boolean; metaKey: boolean; altKey: boolean; shiftKey: boolean }

/** The command of a key press, or null. Letters give way to every modifier; `letters` false switches them off (WCAG 2.1.4). */
export function commandOf(pressed: Pressed, letters: boolean): Command | null {
  if (pressed.ctrlKey || pressed.metaKey || pressed.altKey) return null;
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
    ['Ellipse, rectangle', ['E', 'Q']], ['Two diameters', ['B']], ['Value at a point', ['V']], ['Arrow with words', ['N']], ['List of marks', ['K']],
    ['Move a mark\u2019s end', ['Shift', '\u2190\u2191\u2192\u2193']], ['Delete selected mark', ['Del']],
  ] },
  { title: 'Picture', rows: [
    ['Presets 1 to 6', ['1', '6']], ['Three planes (MPR)', ['M']], ['Invert', ['I']], ['Rotate right', ['R']], ['Flip', ['H']], ['Fit', ['F']], ['Reset all', ['0']],
  ] },
  { title: 'Anywhere', rows: [['Overlays on or off', ['T']], ['This sheet', ['?']], ['Back to the list', ['Esc']]] },
];
