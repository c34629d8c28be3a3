// Whether the images of a series are one volume, and where each voxel of it lies; if not, why, in words for a person.
// Pure. When in doubt it says no: a reformatted picture of slices that do not belong together looks as good as a right one.
import { type StackImage, type Triple } from '../dicom/images';
import { isPlainGrey } from '../dicom/pixels';
import { angle, cross, dot, long, minus, plus, times } from './vectors';

/** Voxel (i, j, k) lies at origin + i * column step + j * row step + k * slice step; the steps need not be square. */
export interface Lattice {
  origin: Triple;
  steps: [Triple, Triple, Triple];
  size: [number, number, number];
  /** Which image of the series each slice is. */
  order: number[];
  /** True facts about the volume that a person must see beside it. */
  notes: string[];
}

export type Verdict = { lattice: Lattice; why: null } | { lattice: null; why: string };

/** How far a slice may lie off its even place: this share of the step, and no less than DICOM's rounding. */
export const UNEVEN = 0.05;
export const ROUNDING = 0.02; // mm
export const TURNED = 0.5;    // degrees between slices that still count as parallel
const LEAST = 3;
const STEEPEST = 45;          // degrees of gantry tilt
const ASIDE = 0.1;            // share of the images that may be something else (a localizer), and no more than three

interface Placed { index: number; image: StackImage; position: Triple; along: number }

class NotOne extends Error {}

/** `images`: a series in reading order. Numbers in the sentence are places in that order, as the viewer's corner counts. */
export function latticeOf(images: StackImage[]): Verdict {
  try {
    return { lattice: build(images), why: null };
  } catch (error) {
    if (error instanceof NotOne) return { lattice: null, why: `Not a volume: ${error.message}` };
    throw error;
  }
}

function build(images: StackImage[]): Lattice {
  const { main, aside } = together(images);
  const first = main[0]?.image as StackImage;
  const [row, column] = first.orientation as [Triple, Triple];
  const [between, along] = first.spacing as [number, number];
  const normal = cross(row, column);
  const placed = main.map(({ index, image }) => ({ index, image, position: image.position as Triple, along: dot(image.position as Triple, normal) }))
    .sort((a, b) => a.along - b.along);
  const step = sliceStep(placed, Math.min(between, along));
  const tilt = angle(step, normal);
  if (tilt > STEEPEST) throw new NotOne('the slices are shifted against each other by more than they are apart.');
  const origin = (placed[0] as Placed).position;
  return {
    origin, steps: [times(row, along), times(column, between), step], size: [first.columns, first.rows, placed.length],
    order: placed.map(({ index }) => index), notes: notesOf(first, step, normal, tilt, aside),
  };
}

// The images that belong to each other, and how many others there are.
function together(images: StackImage[]): { main: { index: number; image: StackImage }[]; aside: number } {
  const all = images.map((image, index) => ({ index, image }));
  if (all.length < LEAST) throw new NotOne(all.length === 1 ? 'it is one image.' : `it has ${all.length} images.`);
  if (all.every(({ image }) => !isPlainGrey(image))) throw new NotOne('the images are in colour.');
  const groups: { index: number; image: StackImage }[][] = [];
  for (const each of all) {
    const group = groups.find(([other]) => other && alike(other.image, each.image));
    if (group) group.push(each);
    else groups.push([each]);
  }
  groups.sort((a, b) => b.length - a.length);
  const main = groups[0] ?? [];
  const aside = all.length - main.length;
  const model = main[0]?.image;
  if (!model?.orientation || main.some(({ image }) => !image.position?.every(Number.isFinite))) throw new NotOne('the images do not say where in the body they lie.');
  if (!model.spacing?.every((value) => Number.isFinite(value) && value > 0)) throw new NotOne('the size of a pixel is not known.');
  if (aside > Math.min(3, Math.floor(all.length * ASIDE))) throw new NotOne(difference(all.map(({ image }) => image), model));
  if (main.length < LEAST) throw new NotOne(`only ${main.length} of its images lie side by side.`);
  return { main, aside };
}

function alike(a: StackImage, b: StackImage): boolean {
  return a.rows === b.rows && a.columns === b.columns && isPlainGrey(a) === isPlainGrey(b) && a.frameOfReference === b.frameOfReference
    && a.photometric === b.photometric && sameSpacing(a.spacing, b.spacing) && parallel(a.orientation, b.orientation);
}

function sameSpacing(a: StackImage['spacing'], b: StackImage['spacing']): boolean {
  if (!a || !b) return a === b;
  return Math.abs(a[0] - b[0]) < 1e-3 * a[0] && Math.abs(a[1] - b[1]) < 1e-3 * a[1];
}

function parallel(a: StackImage['orientation'], b: StackImage['orientation']): boolean {
  if (!a || !b) return a === b;
  return [0, 1].every((i) => dot(a[i] as Triple, b[i] as Triple) > 0 && angle(a[i] as Triple, b[i] as Triple) < TURNED);
}

function difference(images: StackImage[], model: StackImage): string {
  const other = (differs: (image: StackImage) => boolean): number => images.filter(differs).length;
  const of = (count: number, what: string): string => `${count} of ${images.length} images ${count === 1 ? 'has' : 'have'} ${what}`;
  const size = other((image) => image.rows !== model.rows || image.columns !== model.columns);
  if (size) return of(size, 'another number of pixels.');
  const spacing = other((image) => !sameSpacing(image.spacing, model.spacing));
  if (spacing) return of(spacing, 'another pixel size.');
  const turned = other((image) => !parallel(image.orientation, model.orientation));
  if (turned) return of(turned, 'another direction.');
  const frame = other((image) => image.frameOfReference !== model.frameOfReference);
  return frame ? 'the images were taken in different positions of the patient.' : 'the images are of different kinds.';
}

// The one vector from each slice to the next. Throws with what is missing, double or uneven.
function sliceStep(placed: Placed[], pixel: number): Triple {
  const gaps = placed.slice(1).map(({ along }, i) => along - (placed[i] as Placed).along);
  const usual = [...gaps].sort((a, b) => a - b)[Math.floor(gaps.length / 2)] as number;
  const double = gaps.filter((gap) => gap < ROUNDING).length;
  if (double > 0) throw new NotOne(doubled(placed, gaps, double));
  const slack = Math.max(ROUNDING, UNEVEN * usual);
  gaps.forEach((gap, i) => {
    const between = `between images${pairOf(placed[i] as Placed, placed[i + 1] as Placed)}`;
    const lost = Math.round(gap / usual) - 1;
    if (lost >= 1 && Math.abs(gap - (lost + 1) * usual) <= slack * (lost + 1)) throw new NotOne(`${lost} ${lost === 1 ? 'slice is' : 'slices are'} missing ${between}.`);
    if (Math.abs(gap - usual) > slack * 2) throw new NotOne(`the slices are not evenly apart: ${mm(gap)} ${between}, ${mm(usual)} elsewhere.`);
  });
  const [first, last] = [placed[0] as Placed, placed[placed.length - 1] as Placed];
  const step = times(minus(last.position, first.position), 1 / (placed.length - 1));
  placed.forEach(({ position, index }, k) => {
    const off = minus(position, plus(first.position, step, k));
    const normalOff = Math.abs(dot(off, times(step, 1 / long(step))));
    if (normalOff > slack) throw new NotOne(`the slices are not evenly apart: image ${index + 1} lies ${mm(normalOff)} off its place.`);
    if (long(off) > Math.max(slack, ROUNDING * 2, 0.1 * pixel)) throw new NotOne(`image ${index + 1} is shifted sideways by ${mm(long(off))}.`);
  });
  return step;
}

function doubled(placed: Placed[], gaps: number[], double: number): string {
  const places = placed.length - double;
  const each = placed.length / places;
  if (places > 1 && Number.isInteger(each)) return `${each} images lie at every place (phases, echoes or repeats).`;
  if (places === 1) return 'all images lie at the same place.';
  const at = gaps.findIndex((gap) => gap < ROUNDING);
  return `images${pairOf(placed[at] as Placed, placed[at + 1] as Placed)} lie at the same place.`;
}

function pairOf(a: Placed, b: Placed): string {
  const [low, high] = [a.index, b.index].sort((x, y) => x - y) as [number, number];
  return ` ${low + 1} and ${high + 1}`;
}

function notesOf(image: StackImage, step: Triple, normal: Triple, tilt: number, aside: number): string[] {
  const apart = Math.abs(dot(step, normal));
  const axes: Triple[] = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
  const oblique = Math.max(...(image.orientation as [Triple, Triple]).map((direction) => Math.min(...axes.map((axis) => angle(axis, direction)))));
  return [
    ...(aside ? [`${aside} ${aside === 1 ? 'image' : 'images'} of another kind (localizer) left out`] : []),
    ...(image.frameOfReference ? [] : ['Frame of reference not stated']),
    ...(tilt > TURNED ? [`Gantry tilt ${tilt.toFixed(1)}\u00b0 taken into account`] : []),
    ...(oblique > 1 ? [`Slices taken ${oblique.toFixed(0)}\u00b0 oblique`] : []),
    ...(image.thickness && apart > image.thickness * 1.1 ? [`${mm(apart - image.thickness)} between slices not imaged`] : []),
  ];
}

function mm(value: number): string {
  return `${value < 10 ? Number(value.toFixed(2)) : value.toFixed(0)} mm`;
}

export interface Subsampling { every: number; bytes: number }

/** Every how many pixels of a slice are kept so that the volume fits; null when not even every fourth does. */
export function subsampling(lattice: Lattice, bytesPerVoxel: number, limit: number): Subsampling | null {
  const [columns, rows, slices] = lattice.size;
  for (const every of [1, 2, 4]) {
    const bytes = Math.ceil(columns / every) * Math.ceil(rows / every) * slices * bytesPerVoxel;
    if (bytes <= limit) return { every, bytes };
  }
  return null;
}

/** The lattice of every n-th pixel. */
export function thinned(lattice: Lattice, every: number): Lattice {
  if (every === 1) return lattice;
  const [i, j, k] = lattice.steps;
  const [columns, rows, slices] = lattice.size;
  return { ...lattice, steps: [times(i, every), times(j, every), k], size: [Math.ceil(columns / every), Math.ceil(rows / every), slices] };
}
