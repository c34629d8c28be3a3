// Series for the volume tests: slices as readStack gives them, straight, slanted or tilted.
import type { StackImage, Triple } from '../../../src/viewer/dicom/images';

export const AXIAL: [Triple, Triple] = [[1, 0, 0], [0, 1, 0]];

export function slice(position: Triple | null, more: Partial<StackImage> = {}): StackImage {
  return {
    instance: `1.${position?.join('.') ?? 0}`, frame: 1, sopClass: '', modality: 'CT', number: null, rows: 4, columns: 5, samples: 1, photometric: 'MONOCHROME2', planar: 0,
    bitsAllocated: 16, bitsStored: 16, signed: true, slope: 1, intercept: 0, windows: [], voiFunction: null, spacing: [0.5, 0.7], aspect: null, orientation: AXIAL,
    position, patientOrientation: null, frameOfReference: '1.2.3', thickness: 2, frameRate: null, palette: null, lossy: false, ...more,
  } as StackImage;
}

/** Slices with their first pixel at each of these heights. */
export function slices(heights: number[], more: Partial<StackImage> = {}): StackImage[] {
  return heights.map((z) => slice([-10, -20, z], more));
}

export function range(count: number, step = 2, from = 0): number[] {
  return Array.from({ length: count }, (_, n) => from + n * step);
}
