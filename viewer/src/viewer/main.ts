// Door of the viewer: opens one study in the pane, or closes it. The list page calls only these two functions.
import './ui/viewer.css';
import { type Ahead, ahead } from './ahead';
import type { Candidate } from './older';
import type { Request } from './outline';
import { prefs } from './prefs';
import { StudyView } from './study';
import { ViewerFault, isAbort } from './transfer/gateway';
import { blank, busy } from './ui/blank';

const TOGETHER_MS = 350;

let open: { view: StudyView | null; ahead: Ahead; pane: HTMLElement; request: Request } | null = null;

/** Shows the study in `pane`. Resolves when its controls are there; images follow. Faults are shown in the pane, not thrown. `others`: what the list holds now. */
export async function openStudy(pane: HTMLElement, request: Request, others: () => readonly Candidate[] = () => []): Promise<void> {
  leave();
  const mine = { view: null as StudyView | null, ahead: ahead(request), pane, request };
  open = mine;
  pane.dataset.state = 'opening';
  pane.replaceChildren(busy());
  try {
    const outline = await mine.ahead.outline;
    // Controls and first picture are one frame to draw, if that comes soon; after a frame of controls it would wait for them.
    await Promise.race([mine.ahead.picture, new Promise((resolve) => { setTimeout(resolve, TOGETHER_MS); })]);
    if (open !== mine) return;
    mine.view = new StudyView(pane, request, outline, mine.ahead, { close: closeStudy, ended: (fault) => { if (open === mine) fail(mine.pane, fault); } }, others);
    mine.view.begin();
    // After the first picture: what somebody prefers must not cost them time.
    (window.requestIdleCallback ?? ((run: () => void) => setTimeout(run, 400)))(() => void prefs.begin(request.launch));
  } catch (error) {
    if (open !== mine || isAbort(error)) return;
    fail(pane, error, () => void openStudy(pane, request, others));
  }
}

/** Shows two studies of one patient beside each other; where the current one is open already, it stays as it is. */
export async function openCompare(pane: HTMLElement, current: Request, prior: Request, others: () => readonly Candidate[] = () => []): Promise<void> {
  if (open?.pane !== pane || open.request.study !== current.study || open.request.archive !== current.archive || !open.view) await openStudy(pane, current, others);
  const mine = open;
  if (mine?.view && mine.request.study === current.study) await mine.view.compare(prior);
}

/** Takes the study and everything of the patient out of the pane, and tells the page. */
export function closeStudy(): void {
  if (!open) return;
  leave();
  document.dispatchEvent(new CustomEvent('priors:closed'));
}

function leave(): void {
  open?.ahead.abort.abort();
  open?.view?.destroy();
  if (open) {
    open.pane.replaceChildren();
    for (const key of ['state', 'loaded', 'total', 'failed', 'withheld']) delete open.pane.dataset[key];
  }
  open = null;
}

function fail(pane: HTMLElement, error: unknown, again?: () => void): void {
  const fault = error instanceof ViewerFault ? error : new ViewerFault('viewer', 'The viewer could not start.', 'Reload the page, then try again.', null, 0);
  if (fault.ended) leave();
  pane.dataset.state = fault.ended ? 'ended' : 'error';
  pane.replaceChildren(blank(fault, fault.ended ? undefined : again, closeStudy));
}
