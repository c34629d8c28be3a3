import { describe, expect, it } from 'vitest';
import { readFileSet } from '../../../src/viewer/dicom/dataset';
import { SYNTAX } from '../../../src/viewer/dicom/part10';
import { filtered } from '../../../src/viewer/papers/ecg/filters';
import { formsOf, pageOf, pathOf } from '../../../src/viewer/papers/ecg/layout';
import { TWELVE, leadsOf, mainGroup, nameOf } from '../../../src/viewer/papers/ecg/leads';
import { between, said } from '../../../src/viewer/papers/ecg/measure';
import { type Group, readGroups } from '../../../src/viewer/papers/ecg/waveform';
import { Writer, ascii, short } from '../files';

interface Lead { code?: string; meaning?: string; sensitivity?: string; baseline?: string; unit?: string }
const item = (of: Writer, little: boolean, explicit: boolean, fill: (into: Writer) => void): void => {
  const inner = new Writer(little, explicit);
  fill(inner);
  of.tag(0xfffe, 0xe000).u32(inner.bytes.length).raw(inner.bytes);
};

function waveform({ syntax = SYNTAX.explicit as string, samples = [[1, 2], [3, -4]], leads = [{}, {}] as Lead[], kind = 'SS', bits = 16, padding = null as number | null } = {}): Uint8Array<ArrayBuffer> {
  const [little, explicit] = [syntax !== SYNTAX.big, syntax !== SYNTAX.implicit];
  const u32 = (v: number): Uint8Array => Uint8Array.from(new Writer(little).u32(v).bytes);
  const nest = (of: Writer, group: number, element: number, fills: ((into: Writer) => void)[]): void => {
    const inside = new Writer(little, explicit);
    fills.forEach((fill) => item(inside, little, explicit, fill));
    of.element(group, element, 'SQ', Uint8Array.from(inside.bytes));
  };
  const set = new Writer(little, explicit);
  set.element(8, 0x18, 'UI', ascii('9'));
  nest(set, 0x5400, 0x100, [(group) => {
    group.element(0x3a, 5, 'US', short(leads.length, little)).element(0x3a, 0x10, 'UL', u32(samples.length)).element(0x3a, 0x1a, 'DS', ascii('500'));
    nest(group, 0x3a, 0x200, leads.map((lead) => (channel) => {
      nest(channel, 0x3a, 0x208, [(source) => { source.element(8, 0x100, 'SH', ascii(lead.code ?? '5.6.3-9-1')).element(8, 0x102, 'SH', ascii('SCPECG')).element(8, 0x104, 'LO', ascii(lead.meaning ?? '')); }]);
      if (lead.sensitivity !== '') channel.element(0x3a, 0x210, 'DS', ascii(lead.sensitivity ?? '1.25'));
      nest(channel, 0x3a, 0x211, [(unit) => { unit.element(8, 0x100, 'SH', ascii(lead.unit ?? 'uV')); }]);
      channel.element(0x3a, 0x213, 'DS', ascii(lead.baseline ?? '0'));
    }));
    group.element(0x5400, 0x1004, 'US', short(bits, little)).element(0x5400, 0x1006, 'CS', ascii(kind));
    if (padding !== null) group.element(0x5400, 0x100a, 'OW', short(padding & 0xffff, little));
    group.element(0x5400, 0x1010, 'OW', Uint8Array.from(samples.flat().flatMap((v) => [...short(v & 0xffff, little)])));
  }]);
  const head = new Writer().raw(new Uint8Array(128)).raw(ascii('DICM')).element(2, 3, 'UI', ascii('9')).element(2, 0x10, 'UI', ascii(syntax));
  return Uint8Array.from([...head.bytes, ...set.bytes]);
}

const read = async (options: Parameters<typeof waveform>[0] = {}): Promise<Group> => readGroups(await readFileSet(waveform(options)))[0] as Group;
const values = (group: Group): number[][] => group.channels.map((one) => [...one.values].map((v) => Math.round(v * 1e6) / 1e6));

describe('curves of a file', () => {
  it.each(Object.entries({ explicit: SYNTAX.explicit, implicit: SYNTAX.implicit, big: SYNTAX.big }))('are millivolts, channel by channel: %s', async (_, syntax) => {
    const group = await read({ syntax, leads: [{}, { sensitivity: '2', baseline: '100' }] });
    expect(group.rate).toBe(500);
    expect(values(group)).toEqual([[0.00125, 0.00375], [0.104, 0.092]]);
  });

  it('have a gap where the recorder had nothing', async () => {
    expect(values(await read({ samples: [[-32768, 1], [4, -32768]], padding: -32768 }))).toEqual([[NaN, 0.005], [0.00125, NaN]]);
  });

  it('are left out, and said to be, where no voltage is known', async () => {
    const group = await read({ leads: [{ sensitivity: '', meaning: 'Lead I' }, { unit: 'mm[Hg]', meaning: 'Pressure' }] });
    expect(group.channels).toEqual([]);
    expect(group.refused).toEqual([expect.stringContaining('Lead I is not drawn'), expect.stringContaining('Pressure is not drawn')]);
    expect(mainGroup([group])).toBeUndefined();
  });

  it('are refused where they cannot be read', async () => {
    await expect(read({ kind: 'MB', bits: 8 })).rejects.toThrow(/not read here/);
    await expect(read({ kind: 'SL', bits: 32 })).rejects.toThrow(/cut short/);
    const whole = waveform();
    for (let length = 0; length < whole.length; length += 1) await expect(readFileSet(whole.slice(0, length)).then(readGroups)).rejects.toThrow();
  });

  it('are not read out of items nested without end', async () => {
    const bytes = [...new Writer().raw(new Uint8Array(128)).raw(ascii('DICM')).element(2, 0x10, 'UI', ascii(SYNTAX.explicit)).bytes];
    const deep = new Writer();
    for (let i = 0; i < 5000; i += 1) deep.element(0x5400, 0x100, 'SQ', 'undefined-sequence').tag(0xfffe, 0xe000).u32(0xffffffff);
    await expect(readFileSet(Uint8Array.from([...bytes, ...deep.bytes]))).rejects.toThrow(/too deep/);
  });
});

describe('leads', () => {
  it('are known by code or by words', () => {
    const name = (code: string, scheme: string, meaning: string): string => nameOf({ code, scheme, meaning, label: '' }, 4);
    expect([name('5.6.3-9-62', 'SCPECG', ''), name('2:63', 'MDC', ''), name('x', 'L', 'Lead V3'), name('x', 'L', 'Lead I (Einthoven)'), name('x', 'L', 'aVF, augmented voltage, foot'), name('', '', '')])
      .toEqual(['aVR', 'aVL', 'V3', 'I', 'aVF', 'Curve 5']);
    expect(name('5.6.3-9-1', 'OTHER', 'VCG X')).toBe('VCG X');
  });

  it('of the limbs are reckoned from I and II where eight were recorded', async () => {
    const group = await read({ samples: [[1000, 2000, 0, 0, 0, 0, 0, 0]], leads: [1, 2, 3, 4, 5, 6, 7, 8].map((n) => ({ code: `5.6.3-9-${n}`, sensitivity: '1' })) });
    const leads = leadsOf(group);
    expect(leads.map((one) => one.name)).toEqual([...TWELVE]);
    expect(leads.slice(0, 6).map((one) => [one.values[0], one.calculated])).toEqual([[1, false], [2, false], [1, true], [-1.5, true], [0, true], [1.5, true]]);
    expect(formsOf(leads)).toEqual(['3x4', '12x1']);
    expect(formsOf(leads.slice(0, 3))).toEqual(['12x1']);
  });
});

describe('the page', () => {
  const leads = TWELVE.map((name) => ({ name, calculated: false, values: new Float64Array(5000).map((_, i) => (i === 0 ? 1 : 0)) }));

  it('puts a second on 25 mm and a millivolt on 10 mm', () => {
    const page = pageOf(leads, 500, 5000, '3x4', { speed: 25, gain: 10 });
    expect(page.strips.map((one) => one.lead.name)).toEqual([...TWELVE, 'II']);
    expect(page.strips.map((one) => [one.from, one.to]).slice(0, 4)).toEqual([[0, 1250], [0, 1250], [0, 1250], [1250, 2500]]);
    expect((page.strips[3]?.x ?? 0) - (page.strips[0]?.x ?? 0)).toBeCloseTo(62.5);
    const strip = page.strips[0];
    if (!strip) throw new Error('no strip');
    expect(pathOf({ ...strip, to: 3 }, strip.lead.values, 500, { speed: 25, gain: 10 })).toBe(`M12 ${strip.y - 10}L12.05 ${strip.y}L12.1 ${strip.y}`);
    expect(pathOf({ ...strip, to: 3 }, Float64Array.of(0, NaN, 0), 500, { speed: 25, gain: 10 })).toBe(`M12 ${strip.y}M12.1 ${strip.y}`);
  });

  it('shows ten seconds at a time', () => {
    const page = pageOf(leads, 100, 5000, '12x1', { speed: 25, gain: 10 }, 40);
    expect(page.strips[0]).toMatchObject({ from: 4000, to: 5000 });
    expect(page.seconds).toBe(10);
  });
});

describe('filters', () => {
  const wave = (hertz: number): Float64Array => new Float64Array(5000).map((_, i) => Math.sin((2 * Math.PI * hertz * i) / 500));
  const size = (of: Float64Array): number => Math.max(...of.slice(1500, 3500).map(Math.abs));

  it.each([['notch50', 50, 0.02], ['notch60', 60, 0.02], ['low40', 120, 0.02], ['baseline', 0.1, 0.02]] as const)('%s takes %d Hz away', (name, hertz, least) => {
    expect(size(filtered(wave(hertz), 500, [name]))).toBeLessThan(least);
  });

  it.each(['notch50', 'notch60', 'low40', 'low150', 'baseline'] as const)('%s leaves 8 Hz where and as high as it was', (name) => {
    const before = wave(8);
    const after = filtered(before, 500, [name]);
    expect(Math.max(...after.slice(1500, 3500).map((v, i) => Math.abs(v - (before[i + 1500] as number))))).toBeLessThan(0.03);
  });

  it('none leaves the very numbers, and gaps stay', () => {
    const before = Float64Array.of(1, NaN, 2);
    expect(filtered(before, 500, [])).toBe(before);
    expect([...filtered(before, 500, ['low40'])].map(Number.isNaN)).toEqual([false, true, false]);
    expect([...filtered(before, 60, ['notch50'])]).toEqual([1, NaN, 2]);
  });
});

it('calipers tell time, rate and height', () => {
  const scale = { speed: 25, gain: 10 };
  expect(between({ x: 10, y: 20 }, { x: 30, y: 15 }, scale)).toEqual({ ms: 800, bpm: 75, mv: 0.5 });
  expect(said({ x: 10, y: 20 }, { x: 10, y: 25 }, scale)).toBe('0 ms \u00b7 \u22120.50 mV');
});
