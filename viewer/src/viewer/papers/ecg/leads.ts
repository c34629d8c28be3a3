// Which lead a curve is, by its code or its words, and the leads that follow from others. Pure.
import type { Channel, Group } from './waveform';

export const TWELVE = ['I', 'II', 'III', 'aVR', 'aVL', 'aVF', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6'] as const;

export interface Lead { name: string; values: Float64Array; /** Reckoned from I and II, not recorded. */ calculated: boolean }

// The last number of an SCP-ECG code (5.6.3-9-n) and of an MDC code (2:n) is the same lead number (PS3.16 CID 3001).
const NUMBERED: Record<number, string> = { 1: 'I', 2: 'II', 3: 'V1', 4: 'V2', 5: 'V3', 6: 'V4', 7: 'V5', 8: 'V6', 61: 'III', 62: 'aVR', 63: 'aVL', 64: 'aVF' };

/** The short name of a lead; the file's own words, shortened, where it is none of the twelve. */
export function nameOf(channel: Pick<Channel, 'code' | 'scheme' | 'meaning' | 'label'>, index: number): string {
  const coded = /^(?:5\.6\.3-9-|2:|131328\+?)(\d{1,2})$/.exec(channel.code)?.[1];
  const byCode = coded && /SCPECG|MDC/i.test(channel.scheme) ? NUMBERED[Number(coded)] : undefined;
  if (byCode) return byCode;
  for (const words of [channel.meaning, channel.label]) {
    const found = /(?:^|lead\s+|\b)(aV[RLF]|V[1-6]|III|II|I)(?![A-Za-z0-9])/i.exec(words)?.[1];
    const name = TWELVE.find((one) => one.toLowerCase() === found?.toLowerCase());
    if (name) return name;
  }
  return (channel.label || channel.meaning || `Curve ${index + 1}`).slice(0, 16);
}

/** The leads of a group in the order they are read; limb leads that the file leaves out are reckoned from I and II. */
export function leadsOf(group: Group): Lead[] {
  const named = new Map<string, Lead>();
  group.channels.forEach((channel, index) => {
    const name = nameOf(channel, index);
    const free = named.has(name) ? `${name} (${index + 1})` : name;
    named.set(free, { name: free, values: channel.values, calculated: false });
  });
  const [one, two] = [named.get('I')?.values, named.get('II')?.values];
  if (one && two && named.has('V1')) {
    const derive = (name: string, of: (i: number, ii: number) => number): void => {
      if (!named.has(name)) named.set(name, { name, calculated: true, values: one.map((value, at) => of(value, two[at] as number)) });
    };
    derive('III', (i, ii) => ii - i);
    derive('aVR', (i, ii) => -(i + ii) / 2);
    derive('aVL', (i, ii) => i - ii / 2);
    derive('aVF', (i, ii) => ii - i / 2);
  }
  const rank = (lead: Lead): number => { const at = (TWELVE as readonly string[]).indexOf(lead.name); return at < 0 ? TWELVE.length : at; };
  return [...named.values()].sort((a, b) => rank(a) - rank(b));
}

export function isTwelve(leads: Lead[]): boolean {
  return TWELVE.every((name) => leads.some((lead) => lead.name === name));
}

/** The group that is read: the longest with the most leads. Averaged beats are shorter and are not a rhythm. */
export function mainGroup(groups: Group[]): Group | undefined {
  const worth = (group: Group): number => Math.min(group.channels.length, 12) * Math.min(group.samples / group.rate, 10);
  return groups.filter((group) => group.channels.length > 0).reduce<Group | undefined>((best, group) => (!best || worth(group) > worth(best) ? group : best), undefined);
}
