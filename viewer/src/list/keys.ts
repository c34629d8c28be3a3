// The keyboard of the list (design.md section 8). Single letters work only where they cannot hurt typing, and can be off.
export interface Actions {
  find(): void;
  clearFind(): boolean;
  rows(): HTMLElement[];
  retryFailed(): void;
  /** By time, or by relevance. */
  turnOrder(): void;
  /** Opens the request of the row in focus, or of the study that is open. */
  request(): void;
  /** Ticks the row in focus, to be compared; false where there is no such row. */
  tick(): boolean;
  compare(): void;
  help(): void;
  /** Closes the innermost open thing; false when there was none. */
  back(): boolean;
}
const STORE = 'priors-keys';

export function singleKeysOn(): boolean {
  return document.documentElement.dataset['keys'] !== 'off';
}

/** The switch in the … menu. The viewer reads `html[data-keys]` too. */
export function bindKeySwitch(box: HTMLInputElement | null): void {
  let off = false;
  try {
    off = localStorage.getItem(STORE) === 'off';
  } catch {
    off = false;
  }
  const show = (): void => {
    document.documentElement.dataset['keys'] = off ? 'off' : 'on';
    if (box) box.checked = !off;
  };
  show();
  box?.addEventListener('change', () => {
    off = !box.checked;
    try {
      localStorage.setItem(STORE, off ? 'off' : 'on');
    } catch {
      // lasts for this page only
    }
    show();
  });
}

/** Focus on the next possible match, round and round; false when none waits. */
function nextMatch(scroll: HTMLElement): boolean {
  const links = [...scroll.querySelectorAll<HTMLElement>('[data-match] a')];
  const next = links[(links.indexOf(document.activeElement as HTMLElement) + 1) % links.length];
  next?.focus();
  return next !== undefined;
}

export function bindKeys(scroll: HTMLElement, pane: HTMLElement, actions: Actions): void {
  const move = (to: 'next' | 'previous' | 'first' | 'last' | number): void => {
    const links = actions.rows().map((row) => row.querySelector<HTMLElement>('[data-stop]')).filter((link) => link !== null);
    if (links.length === 0) return;
    const at = links.indexOf(document.activeElement as HTMLElement);
    const stop = links.findIndex((link) => link.tabIndex === 0);
    const last = links.length - 1;
    const step = typeof to === 'number' ? to : to === 'next' ? 1 : -1;
    const index = to === 'first' ? 0 : to === 'last' ? last : at < 0 ? Math.max(stop, 0) : Math.min(Math.max(at + step, 0), last);
    links.forEach((link, i) => (link.tabIndex = i === index ? 0 : -1));
    links[index]?.focus({ preventScroll: true });
    links[index]?.closest('.srow')?.scrollIntoView({ block: 'nearest' });
  };
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target instanceof HTMLElement ? event.target : null;
    const typing = target?.closest('input, textarea, select') != null;
    const inViewer = target?.closest('#viewer-pane') != null;
    const inDialog = target?.closest('dialog') != null;
    const inList = target != null && (scroll.contains(target) || target === document.body || (target.id === 'find' && (event.key === 'ArrowDown' || event.key === 'ArrowUp')));
    if (inDialog) return;
    if (event.key === 'Escape') {
      if (target?.id === 'find' && actions.clearFind()) event.preventDefault();
      else if (actions.back()) event.preventDefault();
      return;
    }
    const by: Record<string, Parameters<typeof move>[0]> = { ArrowDown: 'next', ArrowUp: 'previous', Home: 'first', End: 'last', PageDown: 8, PageUp: -8 };
    const to = by[event.key];
    if (to !== undefined && inList) {
      event.preventDefault();
      return move(to);
    }
    if (typing || inViewer || !singleKeysOn()) return;
    if (event.key === '/') actions.find();
    else if (event.key === '?') actions.help();
    else if (event.key === 'm' && nextMatch(scroll)) return event.preventDefault();
    else if ((event.key === 'o' || event.key === 'O') && inList) actions.turnOrder();
    else if (event.key === ' ' && target?.matches('[data-stop]') && actions.tick()) return event.preventDefault();
    else if (event.key === 'c' && inList) actions.compare();
    else if (event.key === 'q' && inList) actions.request();
    else if (event.key === 'R' && event.shiftKey) actions.retryFailed();
    else return;
    event.preventDefault();
  });
  pane.addEventListener('focusin', (event) => {
    // a click on a link makes it the list's tab stop
    const link = event.target instanceof HTMLElement && event.target.matches('[data-stop]') ? event.target : null;
    if (!link || link.tabIndex === 0) return;
    scroll.querySelectorAll<HTMLElement>('[data-stop][tabindex="0"]').forEach((one) => (one.tabIndex = -1));
    link.tabIndex = 0;
  });
}
