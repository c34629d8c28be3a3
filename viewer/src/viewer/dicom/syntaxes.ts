// Transfer syntaxes: which one a frame has, which of them can be drawn, and a name a person can read.

const DRAWABLE = new Set([
  '1.2.840.10008.1.2', '1.2.840.10008.1.2.1', '1.2.840.10008.1.2.1.99', '1.2.840.10008.1.2.2', '1.2.840.10008.1.2.5',
  '1.2.840.10008.1.2.4.50', '1.2.840.10008.1.2.4.51', '1.2.840.10008.1.2.4.57', '1.2.840.10008.1.2.4.70',
  '1.2.840.10008.1.2.4.80', '1.2.840.10008.1.2.4.81', '1.2.840.10008.1.2.4.90', '1.2.840.10008.1.2.4.91',
  '1.2.840.10008.1.2.4.201', '1.2.840.10008.1.2.4.202', '1.2.840.10008.1.2.4.203',
]);

const BY_TYPE: Record<string, string> = {
  'application/octet-stream': '1.2.840.10008.1.2.1', 'image/dicom-rle': '1.2.840.10008.1.2.5', 'image/x-dicom-rle': '1.2.840.10008.1.2.5',
  'image/jls': '1.2.840.10008.1.2.4.80', 'image/x-jls': '1.2.840.10008.1.2.4.80', 'image/jp2': '1.2.840.10008.1.2.4.90',
  'image/jpx': '1.2.840.10008.1.2.4.91', 'image/jphc': '1.2.840.10008.1.2.4.201',
};

export const EXPLICIT_LITTLE = '1.2.840.10008.1.2.1';

export function canDraw(syntax: string): boolean {
  return DRAWABLE.has(syntax);
}

/** Little endian values that need no decoder. */
export function isPlain(syntax: string): boolean {
  return syntax === '1.2.840.10008.1.2' || syntax === EXPLICIT_LITTLE || syntax === '1.2.840.10008.1.2.1.99';
}

export function syntaxName(syntax: string): string {
  if (/^1\.2\.840\.10008\.1\.2\.4\.10\d/.test(syntax)) return 'video';
  return 'compression unknown here';
}

/** Transfer syntax of a part by its Content-Type; JPEG without a parameter is told apart by its first frame header. */
export function syntaxOf(contentType: string, bytes: Uint8Array): string {
  const stated = /transfer-syntax="?([\d.]+)"?/i.exec(contentType)?.[1];
  if (stated) return stated;
  const type = (contentType.split(';')[0] ?? '').trim().toLowerCase();
  if (type === 'image/jpeg') return jpegSyntax(bytes);
  return BY_TYPE[type] ?? EXPLICIT_LITTLE;
}

function jpegSyntax(bytes: Uint8Array): string {
  for (let at = 2; at + 4 < bytes.length && bytes[at] === 0xff;) {
    const mark = bytes[at + 1] ?? 0;
    if (mark === 0xc0) return '1.2.840.10008.1.2.4.50';
    if (mark === 0xc1) return '1.2.840.10008.1.2.4.51';
    if (mark === 0xc3) return '1.2.840.10008.1.2.4.70';
    if (mark === 0xf7) return '1.2.840.10008.1.2.4.80';
    at += 2 + (bytes[at + 2] ?? 0) * 256 + (bytes[at + 3] ?? 0);
  }
  return '1.2.840.10008.1.2.4.50';
}
