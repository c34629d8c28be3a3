// Three numbers at a time, in patient coordinates (millimetres, towards left, back and head). Pure.
import type { Triple } from '../dicom/images';

export function dot(a: Triple, b: Triple): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

export function cross(a: Triple, b: Triple): Triple {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

export function times(a: Triple, by: number): Triple {
  return [a[0] * by, a[1] * by, a[2] * by];
}

/** `a` and as much of `b` as `by` says. */
export function plus(a: Triple, b: Triple, by = 1): Triple {
  return [a[0] + b[0] * by, a[1] + b[1] * by, a[2] + b[2] * by];
}

export function minus(a: Triple, b: Triple): Triple {
  return plus(a, b, -1);
}

export function long(a: Triple): number {
  return Math.hypot(a[0], a[1], a[2]);
}

/** Angle between two directions, degrees, 0 to 90: which way they point does not matter. */
export function angle(a: Triple, b: Triple): number {
  const share = Math.abs(dot(a, b)) / (long(a) * long(b) || 1);
  return (Math.acos(Math.min(1, share)) * 180) / Math.PI;
}
