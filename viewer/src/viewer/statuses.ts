// What the status line says about a series. Pure. Earned words: "loaded" only for what is really here.
import type { SeriesSession } from './session';
import type { StatusLine } from './ui/status';
import { count, numberList, withheld } from './words';

interface Actions { go: (index: number) => void; again: () => void }

type Loading = Pick<SeriesSession, 'images' | 'frames' | 'settled' | 'withheld'>;

export function statusOf(session: Loading, hospital: string, actions: Actions): StatusLine {
  const { frames, images } = session;
  const total = images.length;
  const loaded = frames ? frames.count('drawn') + frames.count('held') : 0;
  const held = session.withheld > 0 ? `${withheld(session.withheld)} The image desk was told.` : '';
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

function reason(frames: Loading['frames'], failed: number[], hospital: string, total: number): string {
  const faults = failed.map((index) => frames?.faults.get(index));
  const first = faults[0];
  if (!first) return '';
  const reference = first.reference ? ` Reference ${first.reference}` : '';
  const damaged = faults.every((fault) => fault?.code === 'undecodable' || fault?.code === 'unreadable');
  if (damaged && hospital && total > 1) return `${hospital} sent ${numberList(failed.map((index) => index + 1))} damaged.${reference}`;
  return `${first.title} ${first.action}${reference}`;
}
