// Turns a series' metadata (one dataset an instance) into the stack: one entry per frame, in reading order, with the
// facts a viewer needs already read. Enhanced multi-frame objects are flattened here and nowhere else.
import { type Dataset, inlineBytes, items, number, numbers, personName, text, texts } from './json';
import { type LutSources, readLuts } from './luts';
import { type Quantity, readQuantity } from './quantity';
import { type Region, readRegions } from './regions';
import { type ClipTiming, readTiming } from './timing';

export type Triple = [number, number, number];

export interface Palette { descriptor: Triple; data: Uint8Array | Uint16Array }

export interface StackImage {
  instance: string;
  frame: number;              // from 1, within its instance
  sopClass: string;
  modality: string;
  number: number | null;
  rows: number;
  columns: number;
  samples: number;
  photometric: string;
  planar: number;
  bitsAllocated: number;
  bitsStored: number;
  highBit: number;
  signed: boolean;
  slope: number;
  intercept: number;
  windows: { center: number; width: number; name: string }[]; // only usable ones: width above 0
  voiFunction: string | null;
  luts: LutSources | null;    // tables that the values go through before they are windowed
  spacing: [number, number] | null;   // mm between rows, between columns; PixelSpacing only, never detector spacing
  aspect: [number, number] | null;
  orientation: [Triple, Triple] | null; // directions of a row and of a column, patient coordinates
  position: Triple | null;
  patientOrientation: [string, string] | null; // letters, where no coordinates are given
  frameOfReference: string | null;
  thickness: number | null;
  frameRate: number | null;
  timing: ClipTiming | null;  // of the whole object, where it has several frames; the same one in all of them
  regions: readonly Region[]; // calibrated parts of an ultrasound picture; the same in all frames of an object
  quantity: Quantity;         // what the numbers of its pixels mean
  palette: { red: PaletteSource; green: PaletteSource; blue: PaletteSource } | null;
  lossy: boolean;
}

/** A palette's entries, or where to fetch them from. */
export interface PaletteSource { descriptor: Triple; inline: Uint8Array<ArrayBuffer> | null; uri: string | null }

export interface FileHead { name: string | null; born: string | null; sex: string | null; id: string | null;
  date: string | null; time: string | null; hospital: string | null; seriesNumber: string | null; seriesDescription: string | null }

const GROUPS = ['00289110', '00209113', '00209116', '00289132', '00289145'];

/** What the files themselves say about whose they are; shown on the viewport. */
export function readHead(set: Dataset): FileHead {
  return {
    name: personName(set, '00100010') ?? null, born: text(set, '00100030') ?? null, sex: text(set, '00100040') ?? null,
    id: text(set, '00100020') ?? null, date: text(set, '00080020') ?? null, time: text(set, '00080030') ?? null,
    hospital: text(set, '00080080') ?? null, seriesNumber: text(set, '00200011') ?? null, seriesDescription: text(set, '0008103E') ?? null,
  };
}

/** The stack in reading order. Instances without a picture in them are left out. */
export function readStack(series: Dataset[]): StackImage[] {
  const frames = series.flatMap((set) => {
    const count = Math.min(Math.max(1, number(set, '00280008') ?? 1), 20_000);
    const whole = { timing: count > 1 ? readTiming(set, count) : null, regions: readRegions(set), quantity: readQuantity(flatten(set, 1)) };
    return Array.from({ length: count }, (_, i) => readImage(set, i + 1, whole)).filter((image) => image !== null);
  });
  return frames.sort(byReadingOrder);
}

function byReadingOrder(a: StackImage, b: StackImage): number {
  const numbered = (a.number ?? Infinity) - (b.number ?? Infinity);
  if (numbered && !Number.isNaN(numbered)) return numbered;
  if (a.instance === b.instance) return a.frame - b.frame;
  const placed = (slicePosition(a) ?? 0) - (slicePosition(b) ?? 0);
  return placed || (a.instance < b.instance ? -1 : 1);
}

function readImage(set: Dataset, frame: number, whole: Pick<StackImage, 'timing' | 'regions' | 'quantity'>): StackImage | null {
  const flat = flatten(set, frame);
  const instance = text(flat, '00080018');
  const rows = number(flat, '00280010');
  const columns = number(flat, '00280011');
  if (!instance || !rows || !columns || number(flat, '00280100') === 1) return null; // one bit a pixel marks regions, it is no picture
  const spacing = pair(numbers(flat, '00280030'));
  const aspect = pair(numbers(flat, '00280034'));
  const axes = texts(flat, '00200020');
  const windows = readWindows(flat);
  const luts = readLuts(flat, windows.length > 0);
  const bitsAllocated = number(flat, '00280100') ?? 16;
  const bitsStored = number(flat, '00280101') ?? bitsAllocated;
  return {
    instance, frame, rows, columns, ...whole,
    sopClass: text(flat, '00080016') ?? '', modality: text(flat, '00080060') ?? '', number: number(flat, '00200013') ?? null,
    samples: number(flat, '00280002') ?? 1, photometric: text(flat, '00280004') ?? 'MONOCHROME2', planar: number(flat, '00280006') ?? 0,
    bitsAllocated, bitsStored, highBit: readHighBit(number(flat, '00280102'), bitsStored, bitsAllocated),
    signed: number(flat, '00280103') === 1,
    // A Modality LUT stands in the place of slope and intercept.
    slope: luts?.modality ? 1 : number(flat, '00281053') || 1, intercept: luts?.modality ? 0 : number(flat, '00281052') ?? 0,
    windows, luts, voiFunction: text(flat, '00281056') ?? null,
    spacing: spacing && spacing[0] > 0 && spacing[1] > 0 ? spacing : null,
    aspect: aspect && aspect[0] > 0 && aspect[1] > 0 ? aspect : null,
    orientation: readOrientation(numbers(flat, '00200037')), position: triple(numbers(flat, '00200032')),
    patientOrientation: axes.length === 2 && axes[0] && axes[1] ? [axes[0], axes[1]] : null,
    frameOfReference: text(flat, '00200052') ?? null, thickness: number(flat, '00180050') ?? null,
    frameRate: readFrameRate(flat), palette: readPalette(flat), lossy: text(flat, '00282110') === '01',
  };
}

function flatten(set: Dataset, frame: number): Dataset {
  const shared = items(set, '52009229')[0];
  const own = items(set, '52009230')[frame - 1];
  if (!shared && !own) return set;
  return Object.assign({}, set, ...[shared, own].flatMap((group) => GROUPS.map((tag) => items(group, tag)[0] ?? {})));
}

// Anything that does not fit into the pixel's bits is taken for what nearly all files have.
function readHighBit(stated: number | undefined, stored: number, allocated: number): number {
  return stated !== undefined && stated >= stored - 1 && stated < allocated ? stated : stored - 1;
}

function readWindows(set: Dataset): StackImage['windows'] {
  const centers = numbers(set, '00281050');
  const widths = numbers(set, '00281051');
  const names = texts(set, '00281055');
  return centers.flatMap((center, i) => {
    const width = widths[i];
    return width !== undefined && width > 0 ? [{ center, width, name: names[i] ?? '' }] : [];
  });
}

function readOrientation(values: number[]): [Triple, Triple] | null {
  const row = triple(values.slice(0, 3));
  const column = triple(values.slice(3, 6));
  if (!row || !column) return null;
  const unit = (v: Triple): boolean => Math.abs(Math.hypot(...v) - 1) < 0.05;
  const square = Math.abs(row[0] * column[0] + row[1] * column[1] + row[2] * column[2]) < 0.05;
  return unit(row) && unit(column) && square ? [row, column] : null; // nonsense directions are not shown as R and L
}

function readFrameRate(set: Dataset): number | null {
  const time = number(set, '00181063');
  const rate = (time && time > 0 ? 1000 / time : undefined) ?? number(set, '00180040') ?? number(set, '00082144')
    ?? (numbers(set, '00181065')[1] ? 1000 / (numbers(set, '00181065')[1] as number) : undefined);
  return rate && rate > 0 && rate <= 200 ? rate : null;
}

function readPalette(set: Dataset): StackImage['palette'] {
  const colour = (n: 1 | 2 | 3): PaletteSource | null => {
    const descriptor = triple(numbers(set, `0028110${n}`));
    const element = set[`0028120${n}`];
    return descriptor && element ? { descriptor, inline: inlineBytes(element) ?? null, uri: element.BulkDataURI ?? null } : null;
  };
  const [red, green, blue] = [colour(1), colour(2), colour(3)];
  return red && green && blue ? { red, green, blue } : null;
}

function pair(values: number[]): [number, number] | null {
  return values.length >= 2 ? [values[0] as number, values[1] as number] : null;
}

function triple(values: number[]): Triple | null {
  return values.length >= 3 ? [values[0] as number, values[1] as number, values[2] as number] : null;
}

/** Position of a slice along its own normal, mm; null when the file does not say. */
export function slicePosition(image: StackImage): number | null {
  if (!image.position || !image.orientation) return null;
  const [r, c] = image.orientation;
  const normal: Triple = [r[1] * c[2] - r[2] * c[1], r[2] * c[0] - r[0] * c[2], r[0] * c[1] - r[1] * c[0]];
  const largest = normal.reduce((best, v, i) => (Math.abs(v) > Math.abs(normal[best] as number) ? i : best), 0);
  const sign = (normal[largest] as number) < 0 ? -1 : 1; // grows towards left, back and head, as patient coordinates do
  const [px, py, pz] = image.position;
  return sign * (normal[0] * px + normal[1] * py + normal[2] * pz);
}
