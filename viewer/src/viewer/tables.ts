// The tables that an image's pixels go through (palette, Modality and VOI LUT): fetched once for each object where the
// metadata names only where they lie.
import type { StackImage } from './dicom/images';
import { type Lut, type LutSource, type Luts, readLut } from './dicom/luts';
import { type PaletteTables, readTable } from './dicom/palette';
import { ViewerFault, getBytes } from './transfer/gateway';

export class Tables {
  readonly palettes = new Map<string, PaletteTables>();
  readonly #luts = new Map<string, Promise<Luts>>();

  async palette(image: StackImage): Promise<PaletteTables | null> {
    if (!image.palette) return null;
    const read = async (source: typeof image.palette.red): Promise<PaletteTables['red']> =>
      readTable(source.descriptor, source.inline ?? (source.uri ? await getBytes(source.uri) : new Uint8Array(0)));
    let tables = this.palettes.get(image.instance);
    if (!tables) {
      const [red, green, blue] = await Promise.all([read(image.palette.red), read(image.palette.green), read(image.palette.blue)]);
      tables = { red, green, blue };
      this.palettes.set(image.instance, tables);
    }
    return tables;
  }

  /** Rejects with ViewerFault when a table is damaged: without it the picture would be another one. */
  luts(image: StackImage): Promise<Luts> {
    const known = this.#luts.get(image.instance);
    if (known) return known;
    const { modality = null, voi = null } = image.luts ?? {};
    const read = Promise.all([readSource(modality, image.signed), readSource(voi, image.signed || image.intercept < 0)]).then(([one, other]) => ({ modality: one, voi: other }));
    this.#luts.set(image.instance, read);
    read.catch(() => this.#luts.delete(image.instance)); // asked for again with the image
    return read;
  }
}

async function readSource(source: LutSource | null, negative: boolean): Promise<Lut | null> {
  if (!source) return null;
  const bytes = source.values || source.inline || !source.uri ? null : await getBytes(source.uri);
  const lut = readLut(source, bytes, negative);
  if (!lut) throw new ViewerFault('undrawable', 'The lookup table of this image is damaged.', 'Ask the sending hospital to send it again.', null, 0);
  return lut;
}
