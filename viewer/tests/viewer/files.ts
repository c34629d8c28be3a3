// DICOM files written by hand, for tests.
import { SYNTAX } from '../../src/viewer/dicom/part10';

type Value = Uint8Array | 'undefined-sequence';

export class Writer {
  bytes: number[] = [];
  constructor(readonly little = true, readonly explicit = true) {}
  u16(v: number): this { this.bytes.push(...(this.little ? [v & 255, v >> 8] : [v >> 8, v & 255])); return this; }
  u32(v: number): this { const b = [v & 255, (v >>> 8) & 255, (v >>> 16) & 255, v >>> 24]; this.bytes.push(...(this.little ? b : b.reverse())); return this; }
  tag(group: number, element: number): this { return this.u16(group).u16(element); }
  element(group: number, element: number, vr: string, value: Value): this {
    this.tag(group, element);
    const undefinedLength = value === 'undefined-sequence';
    const length = undefinedLength ? 0xffffffff : (value as Uint8Array).length;
    if (!this.explicit) this.u32(length);
    else {
      this.bytes.push(vr.charCodeAt(0), vr.charCodeAt(1));
      if (['OB', 'OW', 'SQ', 'UN'].includes(vr)) this.u16(0).u32(length);
      else this.u16(length);
    }
    if (!undefinedLength) this.bytes.push(...(value as Uint8Array));
    return this;
  }
  raw(bytes: Iterable<number>): this { this.bytes.push(...bytes); return this; }
}

export const ascii = (s: string): Uint8Array => Uint8Array.from(s.length % 2 ? `${s}\0` : s, (c) => c.charCodeAt(0));
export const short = (v: number, little = true): Uint8Array => Uint8Array.from(new Writer(little).u16(v).bytes);

export interface Slice { instance?: string; study?: string; series?: string; syntax?: string; values?: number[]; frames?: number; bitsStored?: number; photometric?: string; slope?: string }

/** One 2 x 2 image of 16 bits, intercept -1024. */
export function slice({ instance = '9', study = '1', series = '2', syntax = SYNTAX.explicit, values = [0, 1024, 2048, 4095], frames = 1, bitsStored = 12, photometric = 'MONOCHROME2', slope = '1' }: Slice = {}): Uint8Array<ArrayBuffer> {
  const [little, explicit] = [syntax !== SYNTAX.big, syntax !== SYNTAX.implicit];
  const head = new Writer().raw(new Uint8Array(128)).raw(ascii('DICM')).element(2, 3, 'UI', ascii(instance)).element(2, 0x10, 'UI', ascii(syntax));
  const set = new Writer(little, explicit);
  const us = (element: number, value: number): void => { set.element(0x28, element, 'US', short(value, little)); };
  set.element(8, 0x16, 'UI', ascii('1.2.840.10008.5.1.4.1.1.2')).element(8, 0x18, 'UI', ascii(instance)).element(8, 0x60, 'CS', ascii('CT'));
  set.element(0x10, 0x10, 'PN', ascii('Doe^Jane')).element(0x20, 0xd, 'UI', ascii(study)).element(0x20, 0xe, 'UI', ascii(series)).element(0x20, 0x13, 'IS', ascii('1'));
  set.element(0x20, 0x32, 'DS', ascii('-1.5\\0\\7')).element(0x20, 0x37, 'DS', ascii('1\\0\\0\\0\\1\\0'));
  us(2, 1);
  set.element(0x28, 4, 'CS', ascii(photometric)).element(0x28, 8, 'IS', ascii(String(frames)));
  us(0x10, 2);
  us(0x11, 2);
  set.element(0x28, 0x30, 'DS', ascii('0.5\\0.6'));
  for (const [element, value] of [[0x100, 16], [0x101, bitsStored], [0x102, bitsStored - 1], [0x103, 0]] as const) us(element, value);
  set.element(0x28, 0x1050, 'DS', ascii('40\\-600')).element(0x28, 0x1051, 'DS', ascii('400\\1500'));
  set.element(0x28, 0x1052, 'DS', ascii('-1024')).element(0x28, 0x1053, 'DS', ascii(slope));
  set.element(0x7fe0, 0x10, 'OW', Uint8Array.from(values.flatMap((value) => [...short(value, little)])));
  return Uint8Array.from([...head.bytes, ...set.bytes]);
}
