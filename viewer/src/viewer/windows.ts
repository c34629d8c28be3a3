// Window and level: the named ones, and the one an image opens with. Values are in the image's own units (HU for CT).

export interface Window { center: number; width: number }
export interface Preset extends Window { name: string }

const CT: Preset[] = [
  { name: 'Soft tissue', width: 400, center: 40 }, { name: 'Lung', width: 1500, center: -600 }, { name: 'Bone', width: 2000, center: 500 },
  { name: 'Brain', width: 80, center: 40 }, { name: 'Stroke', width: 40, center: 40 }, { name: 'Mediastinum', width: 350, center: 50 },
  { name: 'Liver', width: 150, center: 60 }, { name: 'Angiography', width: 600, center: 200 },
];

/** Presets 1 to 6 and on: the file's own first, then the usual ones of the modality (only CT has absolute units). */
export function presetsFor(modality: string, own: (Window & { name: string })[]): Preset[] {
  const fromFile = own.map((window, i) => ({ ...window, name: window.name ? sentence(window.name) : own.length > 1 ? `As sent ${i + 1}` : 'As sent' }));
  const usual = modality === 'CT' ? CT : [];
  return [...fromFile, { name: 'Full range', center: NaN, width: NaN }, ...usual].sort((a, b) => rank(a, usual) - rank(b, usual));
}

// Keys 1 to 6 keep their place from study to study: on CT the usual windows come first.
function rank(preset: Preset, usual: Preset[]): number {
  const at = usual.indexOf(preset);
  return at < 0 ? 100 : at;
}

/** The preset that a window is, if it is one. */
export function presetOf(presets: Preset[], window: Window): Preset | undefined {
  return presets.find((preset) => Math.abs(preset.center - window.center) < 0.51 && Math.abs(preset.width - window.width) < 0.51);
}

/** Window over the whole range of values, for files that give none or width 0. */
export function fullRange(low: number, high: number): Window {
  return { width: Math.max(1, high - low + 1), center: (low + high + 1) / 2 };
}

/** Grey value 0 to 255 of a stored value: PS3.3 C.11.2.1.2.1 LINEAR. */
export function grey(value: number, { center, width }: Window): number {
  if (width <= 1) return value <= center - 0.5 ? 0 : 255;
  const at = (value - (center - 0.5)) / (width - 1) + 0.5;
  return at <= 0 ? 0 : at >= 1 ? 255 : Math.round(at * 255);
}

/** Grey value 0 to 255 by another function of the same section; LINEAR where the file names none. */
export function greyBy(named: string | null): typeof grey {
  if (named === 'LINEAR_EXACT') return (value, { center, width }) => shade((value - center) / Math.max(width, Number.EPSILON) + 0.5);
  if (named === 'SIGMOID') return (value, { center, width }) => shade(1 / (1 + Math.exp((-4 * (value - center)) / Math.max(width, Number.EPSILON))));
  return grey;
}

function shade(share: number): number {
  return Math.round(Math.min(1, Math.max(0, share)) * 255);
}

function sentence(name: string): string {
  const words = name.replace(/_/g, ' ').trim().toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
