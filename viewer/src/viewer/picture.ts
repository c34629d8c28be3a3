// The first picture: the image's own pixels on a 2D canvas, on screen before WebGL and Cornerstone are there.
// Same window, same fit as the real render that replaces it, so nothing jumps.
import type { StackImage } from './dicom/images';
import { shape } from './dicom/modules';
import { type Values, isPlainGrey, readValues } from './dicom/pixels';
import { isPlain } from './dicom/syntaxes';
import { type Frame, type SeriesPaths, getRendered } from './transfer/gateway';
import { fullRange, greyBy } from './windows';

const JPEG = '1.2.840.10008.1.2.4.50';

/** True where the picture can be painted here, without asking anybody. */
export function isPaintable(image: StackImage, frame: Frame): boolean {
  if (image.luts) return false; // its tables may have to be fetched; whoever renders for us applies them
  return frame.values !== undefined || (isPlain(frame.syntax) && isPlainGrey(image));
}

/** A canvas with the picture, ready to be put under the corners. Rejects when there is no quick way to one. */
export async function firstPicture(image: StackImage, frame: Frame, paths: SeriesPaths, signal?: AbortSignal): Promise<HTMLCanvasElement> {
  if (isPaintable(image, frame)) return stretched(paintGrey(image, frame), image);
  const own = frame.syntax === JPEG && image.samples === 3; // grey JPEG still needs its window
  const bytes = own ? frame.bytes : await getRendered(paths, image.instance, image.frame, signal);
  const bitmap = await createImageBitmap(new Blob([bytes.slice()], { type: 'image/jpeg' }));
  return stretched(bitmap, image);
}

/** The first canvas of a page waits for the graphics process, the longer the more it has to draw: better before there is a page. */
export function prepareCanvas(): void {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const context = context2d(canvas);
  context.putImageData(context.createImageData(1, 1), 0, 0);
}

function paintGrey(image: StackImage, frame: Frame): HTMLCanvasElement {
  const { data, min, max } = frame.values ?? readValues(image, frame.bytes);
  const window = image.windows[0] ?? fullRange(min, max);
  const canvas = document.createElement('canvas');
  canvas.width = image.columns;
  canvas.height = image.rows;
  const context = context2d(canvas);
  const picture = context.createImageData(image.columns, image.rows);
  const out = new Uint32Array(picture.data.buffer);
  const invert = image.photometric === 'MONOCHROME1';
  const grey = greyBy(image.voiFunction);
  const colour = (value: number): number => {
    const shown = invert ? 255 - grey(value, window) : grey(value, window);
    return (0xff000000 | (shown << 16) | (shown << 8) | shown) >>> 0;
  };
  if (data instanceof Float32Array) for (let i = 0; i < out.length; i++) out[i] = colour(data[i] as number);
  else lookUp(data, out, min, Uint32Array.from({ length: max - min + 1 }, (_, i) => colour(min + i)));
  context.putImageData(picture, 0, 0);
  return canvas;
}

// Whole numbers repeat: each is windowed once, which matters while the page's code is still cold.
function lookUp(data: Exclude<Values['data'], Float32Array>, out: Uint32Array, min: number, colours: Uint32Array): void {
  for (let i = 0; i < out.length; i++) out[i] = colours[(data[i] as number) - min] as number;
}

// Pixels that are not square are stretched here, because object-fit knows only the canvas's own proportions.
function stretched(source: HTMLCanvasElement | ImageBitmap, image: StackImage): HTMLCanvasElement {
  const [between, along] = shape(image);
  if (source instanceof HTMLCanvasElement && Math.abs(between - along) < 0.001 * along) return named(source);
  const canvas = document.createElement('canvas');
  const least = Math.min(between, along);
  canvas.width = Math.min(4096, Math.round((image.columns * along) / least));
  canvas.height = Math.min(4096, Math.round((image.rows * between) / least));
  context2d(canvas).drawImage(source, 0, 0, canvas.width, canvas.height);
  return named(canvas);
}

function named(canvas: HTMLCanvasElement): HTMLCanvasElement {
  canvas.className = 'v-picture';
  return canvas;
}

function context2d(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d', { willReadFrequently: true }); // in memory: faster than a GPU round trip for one paint
  if (!context) throw new Error('no 2D canvas');
  return context;
}
