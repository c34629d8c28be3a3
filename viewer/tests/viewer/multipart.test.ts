import { describe, expect, it } from 'vitest';
import { MultipartError, MultipartSplitter, type Part, boundaryOf, splitAll } from '../../src/viewer/transfer/multipart';

const text = (s: string): Uint8Array => Uint8Array.from(s, (c) => c.charCodeAt(0));
const body = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

function answer(parts: { headers?: string[]; body: string; counted?: boolean }[], preamble = ''): Uint8Array {
  const out = parts.map(({ headers = ['Content-Type: application/dicom'], body: b, counted = true }) =>
    `\r\n--BOUND\r\n${[...headers, ...(counted ? [`Content-Length: ${b.length}`] : [])].map((h) => `${h}\r\n`).join('')}\r\n${b}`);
  return text(`${preamble}${out.join('')}\r\n--BOUND--\r\n`);
}

function feed(bytes: Uint8Array, size: number): Part[] {
  const parts: Part[] = [];
  const splitter = new MultipartSplitter('BOUND', (part) => parts.push(part));
  for (let at = 0; at < bytes.length; at += size) splitter.push(bytes.slice(at, at + size));
  splitter.end();
  return parts;
}

describe('multipart splitter', () => {
  const tricky = ['one', '', 'a\r\n--BOUN', '\r\n\r\n', '\r'.repeat(30), 'x'.repeat(5000)];

  for (const counted of [true, false]) {
    for (const size of [1, 2, 3, 7, 64, 100_000]) {
      it(`gives the same parts in steps of ${size}, ${counted ? 'with' : 'without'} lengths`, () => {
        const parts = feed(answer(tricky.map((b) => ({ body: b, counted }))), size);
        expect(parts.map((part) => body(part.body))).toEqual(tricky);
      });
    }
  }

  it('keeps a boundary look-alike inside a counted part', () => {
    const inside = 'pixels\r\n--BOUND\r\nmore';
    expect(feed(answer([{ body: inside }]), 5).map((part) => body(part.body))).toEqual([inside]);
  });

  it('reads headers whatever their case and skips a preamble', () => {
    const [part] = feed(answer([{ headers: ['content-TYPE: image/jls; transfer-syntax=1.2'], body: 'x' }], 'ignore this'), 4);
    expect(part?.headers.get('content-type')).toBe('image/jls; transfer-syntax=1.2');
  });

  it('takes a first boundary without a line before it', () => {
    expect(splitAll('multipart/related; boundary=B', text('--B\r\n\r\nhello\r\n--B--')).map((part) => body(part.body))).toEqual(['hello']);
  });

  it('refuses a length that does not end at a boundary', () => {
    const wrong = text('\r\n--BOUND\r\nContent-Length: 3\r\n\r\nhello, more than that\r\n--BOUND--');
    expect(() => feed(wrong, 1000)).toThrow(MultipartError);
  });

  it('says that it was cut short', () => {
    const whole = answer([{ body: 'a' }, { body: 'b' }]);
    for (const cut of [4, 20, whole.length - 5]) expect(() => feed(whole.slice(0, cut), 9)).toThrow(/cut short/);
  });

  it('finds the boundary in a content type', () => {
    expect(boundaryOf('multipart/related; type="application/dicom"; boundary="a b"')).toBe('a b');
    expect(boundaryOf('multipart/related; boundary=x-1; type=y')).toBe('x-1');
    expect(() => boundaryOf('application/json')).toThrow(MultipartError);
  });
});
