// What the status line says about a series. Pure. Earned words: "loaded" only for what is really here.
import type { Cell } from './cell';
import type { SeriesSession } from './session';
import type { StatusLine } from './ui/status';
import { count, numberList, withheld } from './words';

interface Actions { go: (index: number) => void; again: () => void }

type Loading = Pick<SeriesSession, 'images' | 'frames' | 'settled' | 'withheld'> & Partial<Pick<SeriesSession, 'absent' | 'undrawn' | 'partial'>>;

export function statusOf(session: Loading, hospital: string, actions: Actions): StatusLine {
  const { frames, images } = session;
  const total = images.length;
  const loaded = frames ? frames.count('drawn') + frames.count('held') : 0;
  const held = [session.withheld > 0 ? `${withheld(session.withheld)} The image desk was told.` : '', missing(session, hospital)].filter(Boolean).join(' ');
  const failed = frames ? frames.states.flatMap((state, i) => (state === 'failed' ? [i] : [])) : [];
  if (failed.length > 0 && session.settled) {
    const first = failed[0] as number;
    return {
      tone: 'warn', strong: total === 1 ? 'This image could not be loaded.' : `${count(failed.length)} of ${count(total)} images could not be loaded.`,
      text: [reason(frames, failed, hospital, total), held].filter(Boolean).join(' '),
      actions: [...(total > 1 ? [{ label: `Go to ${first + 1}`, run: () => actions.go(first) }] : []), { label: 'Try again', run: actions.again }],
    };
  }
  const progress = `${count(loaded)} of ${count(total)} ${total === 1 ? 'image' : 'images'} loaded`;
  if (held) return { tone: 'warn', strong: held, text: progress };
  return { tone: loaded === total ? 'ok' : session.settled ? 'ok' : 'busy', text: session.settled && loaded < total ? `${progress}; the others load as you reach them` : progress };
}

/** What the status line says about a cell, whatever is in it; nothing about an empty one. */
export function statusFor(cell: Pick<Cell, 'fault' | 'facts' | 'session' | 'series' | 'source'>, actions: Actions): StatusLine | null {
  const { fault, session, series, source } = cell;
  if (fault) {
    const text = [fault.action, fault.reference ? `Reference ${fault.reference}` : ''].filter(Boolean).join(' ');
    return { tone: 'bad', strong: fault.title, text, actions: series ? [{ label: 'Try again', run: actions.again }] : [] };
  }
  if (!series) return null;
  if (cell.facts.state === 'document') return { tone: 'ok', text: 'Listed, not drawn' };
  if (cell.facts.state === 'paper') return { tone: 'ok', text: 'Read here' };
  if (!session?.frames) return { tone: 'busy', text: series.kind === 'paper' ? 'Asking for it' : 'Asking for the images' };
  return statusOf(session, source?.outline.study.hospital ?? '', actions);
}

const WORST: StatusLine['tone'][] = ['bad', 'warn', 'busy', 'ok'];

/** One line for several cells: each under its name, the worst first, so that a fault beside the picture in use is not missed. */
export function together(lines: { name: string; line: StatusLine }[]): StatusLine {
  const only = lines[0]?.line;
  if (lines.length === 1 && only) return only;
  const sorted = [...lines].sort((a, b) => WORST.indexOf(a.line.tone) - WORST.indexOf(b.line.tone));
  const first = sorted[0];
  if (!first) return { tone: 'ok', text: '' };
  const rest = sorted.slice(1).map(({ name, line }) => `${name}: ${[line.strong, line.text].filter(Boolean).join(' ')}`);
  const { strong, text, tone, actions } = first.line;
  return { tone, ...(strong ? { strong: `${first.name}: ${strong}` } : {}), text: [strong ? text : `${first.name}: ${text}`, ...rest].filter(Boolean).join(' \u00b7 '), ...(actions ? { actions } : {}) };
}

/** What the series should hold and does not. A tick over the rest would claim that it is all. */
function missing({ absent = 0, undrawn = 0, partial = false }: Loading, hospital: string): string {
  const name = hospital || 'The archive';
  const words = [];
  if (absent > 0) words.push(`${name} counts ${count(absent)} more ${absent === 1 ? 'image' : 'images'} in this series than it sent.`);
  else if (partial) words.push(`${name} says that this is not all of the series.`);
  if (undrawn > 0) words.push(undrawn === 1 ? '1 object of this series holds no picture that can be drawn.' : `${count(undrawn)} objects of this series hold no picture that can be drawn.`);
  return words.join(' ');
}

function reason(frames: Loading['frames'], failed: number[], hospital: string, total: number): string {
  const faults = failed.map((index) => frames?.faults.get(index));
  const first = faults[0];
  if (!first) return '';
  const reference = first.reference ? ` Reference ${first.reference}` : '';
  const damaged = faults.every((fault) => fault?.code === 'undecodable' || fault?.code === 'unreadable');
  if (damaged && hospital && total > 1) return `${hospital} sent ${numberList(failed.map((index) => index + 1))} damaged.${reference}`;
  return `${first.title} ${first.action}${reference}`;
}
