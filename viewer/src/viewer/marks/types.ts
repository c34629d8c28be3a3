// What a mark is, as the server keeps it. Points are places on one image, see `plane`.
import type { Place } from './plane';

export const KINDS = ['length', 'angle', 'ellipse', 'rectangle', 'bidirectional', 'probe', 'arrow'] as const;
export type Kind = (typeof KINDS)[number];

/** How many points each kind has. Ellipse: ends of the longer axis, then of the shorter; rectangle: corners in order; arrow: tip, tail. */
export const POINTS: Record<Kind, number> = { length: 2, angle: 3, ellipse: 4, rectangle: 4, bidirectional: 4, probe: 1, arrow: 2 };

export interface Value { what: string; value: number; unit: string }

export interface Mark { id: string; kind: Kind; name: string; series: string; instance: string; frame: number; points: Place[]; values: Value[] }

export const WORDS: Record<Kind, string> = { length: 'Length', angle: 'Angle', ellipse: 'Ellipse', rectangle: 'Rectangle', bidirectional: 'Two diameters', probe: 'Point', arrow: 'Arrow' };
