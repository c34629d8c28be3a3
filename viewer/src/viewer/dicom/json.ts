// Reads DICOM JSON (PS3.18 F). Every reader survives a missing, empty or mistyped element.

export interface JsonElement { vr?: string; Value?: unknown[]; BulkDataURI?: string; InlineBinary?: string }
export type Dataset = Record<string, JsonElement | undefined>;

export function text(set: Dataset, tag: string): string | undefined {
  const value = set[tag]?.Value?.[0];
  if (typeof value === 'string') return value.trim() || undefined;
  return typeof value === 'number' ? String(value) : undefined;
}

export function texts(set: Dataset, tag: string): string[] {
  return (set[tag]?.Value ?? []).flatMap((value) => (typeof value === 'string' ? [value.trim()] : []));
}

/** Numbers of DS, IS and binary elements; archives send them as numbers or as strings. */
export function numbers(set: Dataset, tag: string): number[] {
  return (set[tag]?.Value ?? []).flatMap((value) => {
    const read = typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : NaN;
    return Number.isFinite(read) ? [read] : [];
  });
}

export function number(set: Dataset, tag: string): number | undefined {
  return numbers(set, tag)[0];
}

export function items(set: Dataset | undefined, tag: string): Dataset[] {
  return (set?.[tag]?.Value ?? []).filter((value): value is Dataset => typeof value === 'object' && value !== null);
}

/** Alphabetic group of a person name as "FAMILY, Given Middle"; undefined when empty. */
export function personName(set: Dataset, tag: string): string | undefined {
  const value = set[tag]?.Value?.[0];
  const raw = typeof value === 'string' ? value
    : typeof value === 'object' && value !== null && 'Alphabetic' in value ? String(value.Alphabetic) : '';
  const [family = '', given = '', middle = ''] = raw.split('=')[0]?.split('^').map((part) => part.trim()) ?? [];
  const rest = [given, middle].filter(Boolean).join(' ');
  const name = [family.toUpperCase(), rest].filter(Boolean).join(', ');
  return name || undefined;
}

export function inlineBytes(element: JsonElement | undefined): Uint8Array<ArrayBuffer> | undefined {
  if (!element?.InlineBinary) return undefined;
  try {
    const raw = atob(element.InlineBinary);
    return Uint8Array.from(raw, (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}
