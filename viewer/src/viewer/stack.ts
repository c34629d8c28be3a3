// The only module that knows Cornerstone's core: loads images into its cache, shows one of a stack, and says in plain
// terms what is on screen. Loaded lazily; must not decide what a person is told.
import {
  Enums, RenderingEngine, type StackViewport, type Types, cache, eventTarget, imageLoader, init as initCore, metaData, utilities,
} from '@cornerstonejs/core';
import { createImage, init as initLoader } from '@cornerstonejs/dicom-image-loader';
import { rgbOf422 } from './dicom/colour';
import type { StackImage } from './dicom/images';
import { applyLuts, lutWindow } from './dicom/luts';
import { moduleOf, shape } from './dicom/modules';
import { applyPalette } from './dicom/palette';
import { type Values, isPlainGrey, readValues, scaleValues } from './dicom/pixels';
import { EXPLICIT_LITTLE, canDraw, isPlain, syntaxName } from './dicom/syntaxes';
import { Tables } from './tables';
import { type Frame, ViewerFault } from './transfer/gateway';
import type { SeriesFrames } from './transfer/frames';
import type { Window } from './windows';

export const ENGINE = 'priors';
const SCHEME = 'priors';
const CACHE_BYTES = 1.5e9;
const DECODE_LIMIT = 30_000; // ms

/** What is on screen now; steps are image pixels per screen pixel, (along row, along column). */
export interface Shown { index: number; window: Window | null; zoom: number; right: [number, number]; down: [number, number]; inverted: boolean }

interface Entry { series: LoadedSeries; index: number }

/** The image's series was closed before it came: nobody waits for it. */
class Closed extends Error {}

const entries = new Map<string, Entry>();
let generation = 0;
let started = false;
let engine: RenderingEngine | null = null; // one for all viewports: each engine is a graphics context of its own
let living = 0;

function start(): void {
  if (started) return;
  started = true;
  initCore({ rendering: { webGlContextCount: 1 }, debug: { statsOverlay: false } });
  initLoader({ maxWebWorkers: Math.max(1, Math.min(4, (navigator.hardwareConcurrency || 2) - 1)) });
  cache.setMaxCacheSize(CACHE_BYTES);
  // Cornerstone drops a copy of every load error unhandled; ours are in the image's place already.
  addEventListener('unhandledrejection', (event) => { if (event.reason instanceof ViewerFault || event.reason instanceof Closed) event.preventDefault(); });
  imageLoader.registerImageLoader(SCHEME, (imageId: string) => ({ promise: load(imageId) }));
  metaData.addProvider((type: string, imageId: unknown) => {
    const entry = typeof imageId === 'string' ? entries.get(imageId) : undefined;
    const image = entry?.series.frames.images[entry.index];
    if (!entry || !image) return undefined;
    if (entry.series.asRgb.has(entry.index)) return moduleOf(type, rgbOf(image), null);
    return moduleOf(type, image, entry.series.tables.palettes.get(image.instance) ?? null);
  }, 10_000);
  eventTarget.addEventListener(Enums.Events.IMAGE_CACHE_IMAGE_REMOVED, ((event: CustomEvent<{ imageId: string }>) => {
    const entry = entries.get(event.detail.imageId);
    entry?.series.frames.forgotten(entry.index);
  }) as EventListener);
}

/** One series' images under names of their own, so that nothing of an earlier study can ever be mistaken for them. */
class LoadedSeries {
  readonly ids: string[];
  readonly tables = new Tables();
  readonly asRgb = new Set<number>(); // images that were turned into RGB here

  constructor(readonly frames: SeriesFrames) {
    generation += 1;
    this.ids = frames.images.map((image, index) => {
      const id = `${SCHEME}:${generation}/${image.instance}/${image.frame}`;
      entries.set(id, { series: this, index });
      return id;
    });
  }

  forget(): void {
    for (const id of this.ids) {
      entries.delete(id);
      if (cache.getImageLoadObject(id)) cache.removeImageLoadObject(id, { force: true });
    }
  }
}

async function load(imageId: string): Promise<Types.IImage> {
  const entry = entries.get(imageId);
  if (!entry) throw new Closed();
  const { series, index } = entry;
  const image = series.frames.images[index] as StackImage;
  const frame = await series.frames.now(index);
  let made: Types.IImage;
  try {
    if (!canDraw(frame.syntax)) {
      throw new ViewerFault('undrawable', `This kind of image (${syntaxName(frame.syntax)}) cannot be drawn here.`, 'The archive can send it in another form.', null, 0);
    }
    made = isPlain(frame.syntax) && isPlainGrey(image) ? await greyImage(imageId, series, image, frame.values ?? readValues(image, frame.bytes)) : await decoded(imageId, series, index, image, frame);
  } catch (error) {
    series.frames.fail(index, error);
    throw error;
  }
  if (!entries.has(imageId)) throw new Closed(); // the cache was told to forget it while it was decoded
  series.frames.drawn(index);
  return made;
}

async function decoded(imageId: string, series: LoadedSeries, index: number, image: StackImage, frame: Frame): Promise<Types.IImage> {
  if (image.photometric === 'YBR_FULL_422' && image.bitsAllocated === 8 && isPlain(frame.syntax)) {
    series.asRgb.add(index);
    return decode(imageId, rgbOf422(image, frame.bytes), EXPLICIT_LITTLE);
  }
  const palette = await series.tables.palette(image);
  if (palette && isPlain(frame.syntax)) {
    series.asRgb.add(index);
    return decode(imageId, applyPalette(image, frame.bytes, palette), EXPLICIT_LITTLE);
  }
  if (image.photometric === 'PALETTE COLOR' && !palette) throw new ViewerFault('undrawable', 'The colour table of this image is missing.', 'Ask the sending hospital to send it again.', null, 0);
  const made = await decode(imageId, frame.bytes, frame.syntax, !isPlainGrey(image));
  return isPlainGrey(image) ? greyImage(imageId, series, image, scaleValues(image, made.getPixelData() as Uint16Array)) : made;
}

// The decoder's worker takes the whole buffer away: it gets one that holds this frame only.
function decode(imageId: string, bytes: Uint8Array<ArrayBuffer>, syntax: string, scale = true): Promise<Types.IImage> {
  const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
  return inTime(createImage(imageId, own, syntax, { useRGBA: false, preScale: { enabled: scale } } as Parameters<typeof createImage>[3]) as Promise<Types.IImage>);
}

// The decoder's promise never settles when its last step throws: without a limit one bad image would hold its place for ever.
function inTime<T>(promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('decoding took too long')), DECODE_LIMIT);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function rgbOf(image: StackImage): StackImage {
  return { ...image, photometric: 'RGB', samples: 3, planar: 0, bitsAllocated: 8, bitsStored: 8, signed: false, palette: null, slope: 1, intercept: 0 };
}

// Grey images are scaled and described here whatever their compression: one arithmetic for what a person measures and sees.
// Uncompressed ones need no decoder, so they skip its worker and two copies.
async function greyImage(imageId: string, series: LoadedSeries, image: StackImage, values: Values): Promise<Types.IImage> {
  const luts = image.luts ? await series.tables.luts(image) : null;
  const { data, min, max } = luts ? applyLuts(values, luts) : values;
  const [between, along] = shape(image);
  const window = image.windows[0] ?? (luts?.voi ? lutWindow(luts.voi) : null) ?? utilities.windowLevel.toWindowLevel(min, max);
  const width = 'width' in window ? window.width : window.windowWidth;
  const center = 'center' in window ? window.center : window.windowCenter;
  const voxels = utilities.VoxelManager.createImageVoxelManager({ scalarData: data, width: image.columns, height: image.rows, numberOfComponents: 1 });
  return {
    imageId, dataType: data.constructor.name, color: false, rgba: false, numberOfComponents: 1,
    rows: image.rows, columns: image.columns, height: image.rows, width: image.columns,
    rowPixelSpacing: between, columnPixelSpacing: along, slope: image.slope, intercept: image.intercept,
    preScale: { enabled: true, scaled: true, scalingParameters: { rescaleSlope: image.slope, rescaleIntercept: image.intercept, modality: image.modality } },
    invert: image.photometric === 'MONOCHROME1', minPixelValue: min, maxPixelValue: max, windowWidth: width, windowCenter: center,
    voiLUTFunction: VOI[image.voiFunction ?? ''] ?? Enums.VOILUTFunctionType.LINEAR, sizeInBytes: data.byteLength, voxelManager: voxels,
    getPixelData: () => data, getCanvas: undefined,
  } as unknown as Types.IImage;
}

const VOI: Record<string, Enums.VOILUTFunctionType> = {
  SIGMOID: Enums.VOILUTFunctionType.SAMPLED_SIGMOID, LINEAR_EXACT: Enums.VOILUTFunctionType.LINEAR_EXACT,
};

/** The image that Cornerstone knows by this name; none once its series is closed. */
export function imageOf(imageId: string): StackImage | undefined {
  const entry = entries.get(imageId);
  return entry?.series.frames.images[entry.index];
}

export class Stack {
  readonly element = document.createElement('div');
  readonly #engine: RenderingEngine;
  #over = false;
  #series: LoadedSeries | null = null;
  #sequence = 0;
  #resizing: ResizeObserver;

  constructor(host: HTMLElement, readonly id: string, private readonly onShown: () => void) {
    start();
    this.element.className = 'v-cs';
    this.element.addEventListener('contextmenu', (event) => event.preventDefault());
    host.append(this.element);
    this.#engine = engine ??= new RenderingEngine(ENGINE);
    living += 1;
    this.#engine.enableElement({ viewportId: id, type: Enums.ViewportType.STACK, element: this.element });
    for (const event of [Enums.Events.IMAGE_RENDERED, Enums.Events.VOI_MODIFIED, Enums.Events.CAMERA_MODIFIED]) {
      this.element.addEventListener(event, this.onShown);
    }
    this.#resizing = new ResizeObserver(() => {
      if (this.element.clientWidth > 0 && this.element.clientHeight > 0) this.#engine.resize(true, true);
    });
    this.#resizing.observe(host);
  }

  get viewport(): StackViewport {
    return this.#engine.getViewport(this.id) as StackViewport;
  }

  /** Puts a series in, showing `index` first. `taken`: others can be prepared from now on. Resolves once that image is on the screen. */
  async open(frames: SeriesFrames, index: number, taken: () => void): Promise<void> {
    const mine = ++this.#sequence;
    const series = new LoadedSeries(frames);
    const id = series.ids[index] as string;
    try {
      await imageLoader.loadAndCacheImage(id);
    } catch (error) {
      series.forget();
      throw error;
    }
    if (mine !== this.#sequence) { series.forget(); return; }
    const earlier = this.#series;
    this.#series = series;
    taken();
    const rendered = new Promise<void>((resolve) => this.element.addEventListener(Enums.Events.IMAGE_RENDERED, () => resolve(), { once: true }));
    this.#keepOwnWindows();
    await this.viewport.setStack(series.ids, index);
    this.#straighten();
    this.viewport.render();
    await rendered;
    earlier?.forget();
  }

  /** Shows one image. Resolves true when it is on screen, false when a later call took over. Rejects when it cannot be loaded. */
  async show(index: number): Promise<boolean> {
    const mine = ++this.#sequence;
    const id = this.#series?.ids[index];
    if (!id) return false;
    if (!cache.isLoaded(id)) await imageLoader.loadAndCacheImage(id);
    if (mine !== this.#sequence) return false;
    await this.viewport.setImageIdIndex(index);
    if (mine !== this.#sequence) return false;
    this.viewport.render();
    return true;
  }

  /** Decodes one image into the cache without showing it. Rejects as `show`. */
  async prepare(index: number): Promise<void> {
    const id = this.#series?.ids[index];
    if (id && !cache.isLoaded(id)) await imageLoader.loadAndCacheImage(id);
  }

  /** The values of one image, scaled (HU for CT), decoded where they are not yet. Rejects as `show`. */
  async values(index: number): Promise<ArrayLike<number>> {
    const id = this.#series?.ids[index];
    if (!id) throw new Closed();
    return (await imageLoader.loadAndCacheImage(id)).getPixelData();
  }

  /** Names of the images that are in, in their order. */
  get ids(): readonly string[] {
    return this.#series?.ids ?? [];
  }

  get shown(): Shown | null {
    if (this.#over) return null;
    const viewport = this.viewport;
    const data = this.#series ? viewport.getImageData() : null;
    if (!data) return null;
    const image = viewport.getCornerstoneImage();
    const { voiRange, invert } = viewport.getProperties();
    const steps = this.#steps(data);
    const window = voiRange && !image?.color ? utilities.windowLevel.toWindowLevel(voiRange.lower, voiRange.upper) : null;
    return {
      index: viewport.getCurrentImageIdIndex(), ...steps, inverted: Boolean(invert) !== Boolean(image?.invert),
      window: window ? { width: window.windowWidth, center: window.windowCenter } : null,
    };
  }

  // Measured on the screen itself, so that turning and flipping cannot be forgotten.
  #steps(data: NonNullable<ReturnType<StackViewport['getImageData']>>): Pick<Shown, 'zoom' | 'right' | 'down'> {
    const viewport = this.viewport;
    const [x, y] = [this.element.clientWidth / 2, this.element.clientHeight / 2];
    const far = 64;
    const at = viewport.canvasToWorld([x, y]);
    const step = (to: Types.Point3): [number, number] => {
      const moved = to.map((value, i) => (value - (at[i] as number)) / far);
      const along = (axis: number): number => moved.reduce((sum, value, i) => sum + value * (data.direction[axis * 3 + i] as number), 0);
      return [along(0), along(1)];
    };
    const right = step(viewport.canvasToWorld([x + far, y]));
    const down = step(viewport.canvasToWorld([x, y + far]));
    const pixels = Math.hypot(right[0] / data.spacing[0], right[1] / data.spacing[1]);
    return { right, down, zoom: pixels > 0 ? 1 / pixels : 1 };
  }

  /** mm of the patient on one screen pixel; only where the file gives a pixel's size. */
  get scale(): number {
    return (2 * (this.viewport.getCamera().parallelScale ?? 1)) / Math.max(1, this.element.clientHeight);
  }

  set scale(mm: number) {
    this.viewport.setCamera({ parallelScale: (mm * this.element.clientHeight) / 2 });
    this.viewport.render();
  }

  window(wanted: Window | null): void {
    const viewport = this.viewport;
    const image = viewport.getCornerstoneImage();
    if (!image) return;
    const { width, center } = wanted ?? { width: image.maxPixelValue - image.minPixelValue + 1, center: (image.maxPixelValue + image.minPixelValue + 1) / 2 };
    viewport.setProperties({ voiRange: utilities.windowLevel.toLowHighRange(Math.max(1, width), center) });
    viewport.render();
  }

  invert(): void {
    this.viewport.setProperties({ invert: !this.viewport.getProperties().invert });
    this.viewport.render();
  }

  rotate(): void {
    const { rotation = 0 } = this.viewport.getViewPresentation();
    this.viewport.setViewPresentation({ rotation: (rotation + 90) % 360 });
    this.viewport.render();
  }

  flip(): void {
    const { flipHorizontal = false } = this.viewport.getCamera();
    this.viewport.setCamera({ flipHorizontal: !flipHorizontal });
    this.viewport.render();
  }

  fit(): void {
    const { rotation, flipHorizontal } = this.viewport.getViewPresentation();
    this.viewport.resetCamera();
    this.viewport.setViewPresentation({ rotation, flipHorizontal } as Types.ViewPresentation);
    this.viewport.render();
  }

  // Not viewport.resetProperties(): that one leaves MONOCHROME1 upside down in grey (5.14.0).
  reset(): void {
    const { viewport } = this;
    const image = viewport.getCornerstoneImage();
    if (!image) return;
    const { windowWidth, windowCenter } = image;
    const [width, center] = [windowWidth, windowCenter].map((value) => (Array.isArray(value) ? value[0] : value)) as [number, number];
    viewport.setProperties({ voiRange: utilities.windowLevel.toLowHighRange(width, center), invert: Boolean(image.invert) });
    this.#keepOwnWindows();
    this.#straighten();
    viewport.render();
  }

  #straighten(): void {
    this.viewport.setViewPresentation({ rotation: 0, flipHorizontal: false, flipVertical: false } as Types.ViewPresentation);
    this.viewport.resetCamera();
  }

  // Each image opens with its own window until a person chooses one; Cornerstone remembers a choice beyond the series.
  #keepOwnWindows(): void {
    Reflect.set(this.viewport, 'voiUpdatedWithSetProperties', false);
  }

  /** Takes the series out: pixels, names and cache. */
  clear(): void {
    this.#sequence += 1;
    this.#series?.forget();
    this.#series = null;
  }

  destroy(): void {
    if (this.#over) return;
    this.#over = true;
    this.clear();
    this.#resizing.disconnect();
    living -= 1;
    if (living > 0) {
      this.#engine.disableElement(this.id);
    } else {
      this.#engine.destroy();
      engine = null;
      cache.purgeCache();
    }
    this.element.remove();
  }
}
