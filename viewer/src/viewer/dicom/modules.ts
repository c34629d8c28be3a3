// What Cornerstone asks about an image, answered from our own reading of the metadata. Pure.
import type { StackImage } from './images';
import type { PaletteTables } from './palette';

/** The module of that name, or undefined when the image has none. */
export function moduleOf(type: string, image: StackImage, palette: PaletteTables | null): unknown {
  switch (type) {
    case 'imagePixelModule': return pixels(image, palette);
    case 'imagePlaneModule': return plane(image);
    case 'voiLutModule': return voi(image);
    case 'modalityLutModule': return { rescaleSlope: image.slope, rescaleIntercept: image.intercept };
    case 'sopCommonModule': return { sopClassUID: image.sopClass, sopInstanceUID: image.instance };
    // Cornerstone gives PT a window of 0 to 5, which is right for SUV only; these values are not SUV.
    case 'generalSeriesModule': return { modality: image.modality === 'PT' ? 'NM' : image.modality };
    case 'generalImageModule': return { sopInstanceUID: image.instance, instanceNumber: image.number };
    default: return undefined;
  }
}

function pixels(image: StackImage, palette: PaletteTables | null): unknown {
  return {
    samplesPerPixel: image.samples, photometricInterpretation: image.photometric, planarConfiguration: image.planar,
    rows: image.rows, columns: image.columns, bitsAllocated: image.bitsAllocated, bitsStored: image.bitsStored,
    highBit: image.bitsStored - 1, pixelRepresentation: image.signed ? 1 : 0,
    ...(palette ? {
      redPaletteColorLookupTableDescriptor: eight(palette.red), redPaletteColorLookupTableData: palette.red.entries,
      greenPaletteColorLookupTableDescriptor: eight(palette.green), greenPaletteColorLookupTableData: palette.green.entries,
      bluePaletteColorLookupTableDescriptor: eight(palette.blue), bluePaletteColorLookupTableData: palette.blue.entries,
    } : {}),
  };
}

function eight({ descriptor, entries }: PaletteTables['red']): [number, number, number] {
  return [entries.length, descriptor[1], 8];
}

function plane(image: StackImage): unknown {
  const [row, column] = image.orientation ?? [[1, 0, 0], [0, 1, 0]];
  const [between, along] = shape(image);
  return {
    frameOfReferenceUID: image.frameOfReference ?? undefined, rows: image.rows, columns: image.columns,
    rowCosines: row, columnCosines: column, imageOrientationPatient: [...row, ...column],
    imagePositionPatient: image.position ?? [0, 0, 0], sliceThickness: image.thickness ?? undefined,
    pixelSpacing: [between, along], rowPixelSpacing: between, columnPixelSpacing: along,
    usingDefaultValues: !image.spacing || !image.orientation || !image.position,
  };
}

/** Height and width of a pixel on the screen: mm where known, else the file's aspect, else square. */
export function shape(image: Pick<StackImage, 'spacing' | 'aspect'>): [number, number] {
  return image.spacing ?? image.aspect ?? [1, 1];
}

function voi(image: StackImage): unknown {
  const first = image.windows[0];
  if (!first) return {}; // absent or width 0: Cornerstone then opens over the image's own range
  const linear = image.voiFunction === 'LINEAR_EXACT' || image.voiFunction === 'SIGMOID' ? image.voiFunction : 'LINEAR';
  return { windowCenter: [first.center], windowWidth: [first.width], voiLUTFunction: [linear === 'SIGMOID' ? 'SAMPLED_SIGMOID' : linear] };
}
