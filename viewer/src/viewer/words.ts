// Words, dates and counts as the design writes them (design.md sections 6 and 7). Pure.

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** "19681122" or "1968-11-22" as "22 Nov 1968"; anything else as it is; empty as undefined. */
export function day(value: string | null | undefined): string | undefined {
  const found = /^(\d{4})-?(\d{2})-?(\d{2})$/.exec(value?.trim() ?? '');
  if (!found) return value?.trim() || undefined;
  const month = MONTHS[Number(found[2]) - 1];
  return month && Number(found[3]) > 0 ? `${Number(found[3])} ${month} ${found[1]}` : value?.trim();
}

/** DICOM time "113205.12" as "11:32". */
export function clock(value: string | null | undefined): string | undefined {
  const found = /^(\d{2}):?(\d{2})/.exec(value ?? '');
  return found ? `${found[1]}:${found[2]}` : undefined;
}

export function sexLetter(value: string | null | undefined): string | undefined {
  const letter = value?.trim().charAt(0).toUpperCase();
  return letter && 'MFO'.includes(letter) ? letter : undefined;
}

export function count(n: number): string {
  return n.toLocaleString('en-GB');
}

export function images(n: number): string {
  return n === 1 ? '1 image' : `${count(n)} images`;
}

/** "71", "71 and 72", "71, 72 and 90", "71 to 90 and 95"; long lists end in "and n more". */
export function numberList(sorted: number[]): string {
  const runs: string[] = [];
  for (let i = 0; i < sorted.length;) {
    let j = i;
    while (j + 1 < sorted.length && sorted[j + 1] === (sorted[j] as number) + 1) j += 1;
    if (j - i >= 2) runs.push(`${sorted[i]} to ${sorted[j]}`);
    else for (let k = i; k <= j; k++) runs.push(String(sorted[k]));
    i = j + 1;
  }
  if (runs.length > 4) return `${runs.slice(0, 3).join(', ')} and ${runs.length - 3} more`;
  return runs.length < 2 ? (runs[0] ?? '') : `${runs.slice(0, -1).join(', ')} and ${runs[runs.length - 1]}`;
}

export function withheld(n: number): string {
  return n === 1 ? '1 image was withheld: it names another patient or study than this one.'
    : `${count(n)} images were withheld: they name another patient or study than this one.`;
}

/** One decimal where it says something: −148.5, 0.6, 5. Uses the minus sign. */
export function decimal(value: number): string {
  return (Math.round(value * 10) / 10).toFixed(1).replace('-', '\u2212');
}

export function whole(value: number): string {
  return String(Math.round(value)).replace('-', '\u2212');
}
