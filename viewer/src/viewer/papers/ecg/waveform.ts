// The curves of a DICOM waveform object in millivolts (PS3.3 C.10.9): sample x sensitivity x correction + baseline, as
// pydicom reckons them. Pure. What cannot be read is refused with its reason; nothing is guessed into a curve.
import { type RawSet, rawBytes, rawDecimal, rawItems, rawText, rawUnsigned } from '../../dicom/dataset';

export interface Channel {
  /** What the file calls it: code and meaning. The lead's short name is `leads.ts`' matter. */
  code: string; scheme: string; meaning: string; label: string;
  /** Millivolts; NaN where the recorder had nothing (the padding value). */
  values: Float64Array;
  skew: number;
  low: number | null; high: number | null; notch: number | null;
}

export interface Group { label: string; rate: number; samples: number; channels: Channel[]; /** Channels that are there and cannot be drawn, a sentence each. */ refused: string[] }

export class WaveformError extends Error {}

const TAG = { sequence: 0x54000100, channels: 0x003a0005, samples: 0x003a0010, rate: 0x003a001a, label: 0x003a0020, definitions: 0x003a0200,
  channelLabel: 0x003a0203, source: 0x003a0208, sensitivity: 0x003a0210, units: 0x003a0211, correction: 0x003a0212, baseline: 0x003a0213, skew: 0x003a0214,
  low: 0x003a0220, high: 0x003a0221, notch: 0x003a0222, bits: 0x54001004, kind: 0x54001006, padding: 0x5400100a, data: 0x54001010,
  code: 0x00080100, scheme: 0x00080102, meaning: 0x00080104 };
const MILLIVOLTS: Record<string, number> = { uV: 0.001, '[uV]': 0.001, mV: 1, V: 1000, nV: 1e-6, microvolt: 0.001, millivolt: 1, volt: 1000 };
const MOST_SAMPLES = 40_000_000;

type Read = (view: DataView, at: number, little: boolean) => number;
const KINDS: Record<string, [number, Read]> = {
  SB: [1, (v, at) => v.getInt8(at)], UB: [1, (v, at) => v.getUint8(at)],
  SS: [2, (v, at, little) => v.getInt16(at, little)], US: [2, (v, at, little) => v.getUint16(at, little)],
  SL: [4, (v, at, little) => v.getInt32(at, little)], UL: [4, (v, at, little) => v.getUint32(at, little)],
};

/** The multiplex groups in the file's order. Throws WaveformError when the object holds no curve that can be read. */
export function readGroups(set: RawSet): Group[] {
  const groups = rawItems(set, TAG.sequence);
  if (groups.length === 0) throw new WaveformError('The file holds no curves.');
  return groups.map(readGroup);
}

function readGroup(item: RawSet): Group {
  const [count, samples] = [rawUnsigned(item, TAG.channels) ?? 0, rawUnsigned(item, TAG.samples) ?? 0];
  const [rate, bits, name] = [rawDecimal(item, TAG.rate) ?? 0, rawUnsigned(item, TAG.bits), rawText(item, TAG.kind)];
  const kind = KINDS[name];
  if (!kind || bits !== kind[0] * 8) throw new WaveformError(`Its samples are written in a way that is not read here (${name || 'not given'}, ${bits ?? '?'} bits).`);
  if (!(rate > 0) || rate > 1e6) throw new WaveformError('It does not say how fast it was sampled.');
  if (count < 1 || samples < 1 || count * samples > MOST_SAMPLES) throw new WaveformError('Its number of samples makes no sense.');
  const data = rawBytes(item, TAG.data);
  if (!data || data.length < count * samples * kind[0]) throw new WaveformError('It is cut short: there are fewer samples than its header says.');
  const definitions = rawItems(item, TAG.definitions);
  if (definitions.length < count) throw new WaveformError('It does not say what each of its curves is.');
  const raw = { view: new DataView(data.buffer, data.byteOffset, data.byteLength), little: item.little, width: kind[0], read: kind[1], count, samples, padding: paddingOf(item, kind) };
  const group: Group = { label: rawText(item, TAG.label), rate, samples, channels: [], refused: [] };
  for (let index = 0; index < count; index += 1) {
    const definition = definitions[index] as RawSet;
    const factor = unitOf(definition);
    const head = headOf(definition);
    if (factor === null) group.refused.push(`${head.meaning || head.label || `Curve ${index + 1}`} is not drawn: the file does not give it in volts.`);
    else group.channels.push({ ...head, values: scaled(raw, index, definition, factor) });
  }
  return group;
}

function paddingOf(item: RawSet, [width, read]: [number, Read]): number | null {
  const bytes = rawBytes(item, TAG.padding);
  return bytes && bytes.length >= width ? read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, item.little) : null;
}

// Without a sensitivity the numbers are counts of the recorder, not volts: a height in millimetres would be invented.
function unitOf(definition: RawSet): number | null {
  if (rawDecimal(definition, TAG.sensitivity) === null) return null;
  const unit = rawItems(definition, TAG.units)[0];
  return MILLIVOLTS[rawText(unit, TAG.code)] ?? MILLIVOLTS[rawText(unit, TAG.meaning).toLowerCase()] ?? null;
}

function headOf(definition: RawSet): Omit<Channel, 'values'> {
  const source = rawItems(definition, TAG.source)[0];
  return {
    code: rawText(source, TAG.code), scheme: rawText(source, TAG.scheme), meaning: rawText(source, TAG.meaning), label: rawText(definition, TAG.channelLabel),
    skew: rawDecimal(definition, TAG.skew) ?? 0,
    low: rawDecimal(definition, TAG.low), high: rawDecimal(definition, TAG.high), notch: rawDecimal(definition, TAG.notch),
  };
}

interface Raw { view: DataView; little: boolean; width: number; read: Read; count: number; samples: number; padding: number | null }

function scaled(raw: Raw, index: number, definition: RawSet, factor: number): Float64Array {
  const sensitivity = rawDecimal(definition, TAG.sensitivity) ?? 1;
  const correction = rawDecimal(definition, TAG.correction) ?? 1;
  const baseline = rawDecimal(definition, TAG.baseline) ?? 0;
  const values = new Float64Array(raw.samples);
  for (let at = 0; at < raw.samples; at += 1) {
    const sample = raw.read(raw.view, (at * raw.count + index) * raw.width, raw.little);
    values[at] = sample === raw.padding ? NaN : (sample * sensitivity * correction + baseline) * factor;
  }
  return values;
}
