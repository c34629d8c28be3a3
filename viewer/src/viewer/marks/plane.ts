// Between places in the patient and places on an image. Image places are DICOM's (PS3.3 C.18.6): column and row, where the
// middle of the first pixel is 0.5, 0.5. An image without coordinates has the plane that is made for it in `dicom/modules`. Pure.
import type { StackImage, Triple } from '../dicom/images';
import { shape } from '../dicom/modules';

export type Place = [number, number];
type Plane = Pick<StackImage, 'orientation' | 'position' | 'rows' | 'columns' | 'spacing' | 'aspect'>;

const dot = (a: Triple, b: Triple): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

export function toPlace(image: Plane, world: ArrayLike<number>): Place {
  const [row, column] = image.orientation ?? [[1, 0, 0], [0, 1, 0]];
  const origin = image.position ?? [0, 0, 0];
  const [between, along] = shape(image as StackImage);
  const from: Triple = [(world[0] as number) - origin[0], (world[1] as number) - origin[1], (world[2] as number) - origin[2]];
  return [dot(from, row as Triple) / along + 0.5, dot(from, column as Triple) / between + 0.5];
}

export function toWorld(image: Plane, [x, y]: Place): Triple {
  const [row, column] = image.orientation ?? [[1, 0, 0], [0, 1, 0]];
  const origin = image.position ?? [0, 0, 0];
  const [between, along] = shape(image as StackImage);
  return [0, 1, 2].map((i) => (origin[i] as number) + (row[i] as number) * (x - 0.5) * along + (column[i] as number) * (y - 0.5) * between) as Triple;
}
