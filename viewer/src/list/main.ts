// The Images tab in the browser: asks for the list, shows what arrives, opens studies, forgets everything at the end.
import '../styles/app.css';
import { bindHead } from '../theme/menu';
import { Door } from './door';
import { Ticks, inOrder } from './candidates';
import { counted } from './facets';
import { bindBreakGlass } from './breakglass';
import { FilterBar } from './filterbar';
import { bindKeySwitch, bindKeys } from './keys';
import { Drawer } from '../image_requests/drawer';
import { Opening, prefetch } from './opening';
import { OrderChoice } from './order';
import { Beside } from './relevance';
import { Rows } from './rows';
import { SessionWatch } from './session';
import { type StripEvent, ask } from './stream';
import { SourceStrip } from './strip';
import { type News, Watch } from './watch';

const by = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;

function start(): void {
  const app = by('app');
  const whose = { launch: app.dataset['launch'] ?? '', patient: app.dataset['patient'] ?? '' };
  const base = `/l/${whose.launch}/studies`;
  const boot = JSON.parse(by('boot').textContent || '{}') as { idle_seconds?: number; watch_seconds?: number };
  const pane = by('pane');
  const scroll = by('scroll');
  const live = by('live');
  const keysSheet = by<HTMLDialogElement>('keys');
  /** Questions under way, each with the rows it has told so far. */
  const asking = new Map<AbortController, Set<string>>();

  const ticks = new Ticks();
  const rows = new Rows(by('rows'), () => count());
  const filters = new FilterBar(() => rows.all, (filter) => rows.setFilter(filter));
  const order = new OrderChoice((chosen) => rows.setOrder(chosen));
  rows.setOrder(order.order);
  const beside = new Beside(`${base}/relevance`, whose, (found) => {
    rows.setBeside(found);
    if (rows.inUse) order.outdated();
    else rows.setOrder(order.order);
  });
  const opening = new Opening(app, (uid) => rows.find(uid), (uid) => {
    rows.select(uid);
    beside.follow(uid);
  }, () => rows.candidates(whose));

  function compare(): void {
    const pair = ticks.pair(opening.current);
    if (!pair) {
      live.textContent = 'Tick two studies with Space, then press C to compare them';
      return;
    }
    together(pair[0], pair[1]);
  }

  function together(a: string, b: string): void {
    const dated = (uid: string): { uid: string; date: string } => ({ uid, date: rows.find(uid)?.dataset['date'] ?? '' });
    const [current, prior] = inOrder(dated(a), dated(b), opening.current);
    opening.compare(current, prior);
  }
  const strip = new SourceStrip((key) => retry(key));
  const session = new SessionWatch({
    idleMs: (boot.idle_seconds ?? 900) * 1000,
    pulseUrl: `/l/${whose.launch}/style.css`,
    neutralUrl: base,
    before: () => {
      [...asking.keys()].forEach((one) => one.abort());
      watch.stop();
      opening.close();
      drawer.end();
      beside.stop();
    },
  });

  const watch = new Watch({
    url: `${base}/watch`,
    seconds: boot.watch_seconds ?? 0,
    whose,
    busy: () => asking.size > 0,
    heard: (news) => {
      if (news && !session.over) arrived(news);
    },
    unchecked: (at) => unchecked(at),
    ended: () => session.end('server'),
  });

  const door = new Door({
    url: `/l/${whose.launch}/sought`,
    whose,
    rows: () => rows.dated,
    isWhole: () => strip.isWhole,
    filter: (change) => filters.narrow(change),
    open: (uid) => {
      if (!rows.find(uid)?.dataset['archive']) return false;
      opening.open(uid);
      return true;
    },
    isOpen: () => opening.current !== '',
  });

  const drawer = new Drawer({
    whose,
    list: base,
    asked: () => {
      if ((boot.watch_seconds ?? 0) > 0) watch.now();
      else request(null);
    },
    ended: () => session.end('server'),
  });

  function unchecked(at: string | null): void {
    const line = by('unchecked');
    if (session.over || !line) return;
    const words = at === null ? '' : at ? `Not checked for new studies since ${at}` : 'Not checked for new studies';
    const text = line.querySelector('span');
    if (line.hidden && words) live.textContent = words;
    if (text) text.textContent = words;
    line.hidden = words === '';
  }

  /** Something differs from what was heard last. New studies are marked; rows that nobody names any longer go. */
  function arrived(news: News): void {
    const known = rows.known;
    const found = news.rows.filter((row) => !known.has(row.uid));
    const named = new Set(news.rows.map((row) => row.uid));
    rows.receive(news.rows, [...known].filter((uid) => !named.has(uid)));
    rows.mark(new Map(found.map((row) => [row.uid, news.arrived.get(row.uid) ?? 'Found just now'])));
    if (opening.current && !rows.find(opening.current)) opening.close();
    strip.update(news.strip);
    beside.base = news.strip.relevant_to ?? '';
    beside.again();
    if (found.length > 0) {
      const urgent = found.some((row) => rows.find(row.uid)?.querySelector('.pill.bad'));
      live.textContent = `${found.length} new ${found.length === 1 ? 'study' : 'studies'} found${urgent ? ', urgent' : ''}`;
    }
  }

  function count(): void {
    const total = rows.count;
    const hidden = rows.hidden;
    pane.dataset['rows'] = String(total);
    ticks.keep((uid) => rows.find(uid) !== undefined);
    rows.tick(ticks.all);
    by('nomatch').hidden = total === 0 || hidden < total;
    const bar = by('hiddenbar');
    bar.hidden = hidden === 0 || hidden === total;
    const sentence = bar.querySelector('span');
    if (sentence) sentence.textContent = `${hidden} more ${hidden === 1 ? 'row is' : 'rows are'} hidden by the filter “${rows.filterWords}”.`;
    const skeleton = [...by('skel').children] as HTMLElement[];
    const spare = pane.dataset['done'] === 'yes' ? 0 : total === 0 ? skeleton.length : 1;
    skeleton.forEach((one, i) => (one.hidden = i >= spare));
    headline(total, hidden);
  }

  /** `2 known without images`: a button that shows only those, and all again. */
  function only(kind: string, count: number, words: string): (Node | string)[] {
    if (count === 0) return [];
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'kn';
    button.dataset['only'] = kind;
    button.textContent = `${count} ${words}`;
    button.setAttribute('aria-pressed', String(rows.filter.kind === kind));
    button.addEventListener('click', () => {
      filters.toggleKind(kind);
      by('count').querySelector<HTMLElement>(`[data-only="${kind}"]`)?.focus();
    });
    return [', ', button];
  }

  function headline(total: number, hidden: number): void {
    const head = by('count');
    const text = document.createElement('span');
    const waiting = rows.waiting;
    head.classList.toggle('new', waiting > 0);
    if (waiting > 0) {
      text.textContent = `${waiting} more ${waiting === 1 ? 'study' : 'studies'} found${rows.waitingUrgent ? ', urgent' : ''}`;
      const show = document.createElement('button');
      show.type = 'button';
      show.className = 'btn btn-24';
      show.textContent = waiting === 1 ? 'Show it' : 'Show them';
      show.addEventListener('click', () => {
        rows.release();
        scroll.querySelector<HTMLElement>('[data-stop][tabindex="0"]')?.focus({ preventScroll: true });
      });
      const gap = document.createElement('span');
      gap.className = 'grow';
      head.replaceChildren(text, gap, show);
      return;
    }
    const strong = document.createElement('strong');
    // "0 studies" would be a finding; only the server may say that nothing was found.
    const { studies, known, requested, ordered } = counted(rows.all);
    strong.textContent = studies > 0 ? `${studies} ${studies === 1 ? 'study' : 'studies'}` : total > 0 ? `${total} ${total === 1 ? 'row' : 'rows'}` : pane.dataset['done'] === 'yes' ? 'No rows' : 'No rows yet';
    text.append(strong, ...only('known', known, 'known without images'), ...only('requested', requested, 'requested'), ...only('ordered', ordered, 'ordered, not done'), hidden ? ` · ${total - hidden} shown, ${hidden} hidden by the filter` : '');
    head.replaceChildren(text);
  }

  function say(event: StripEvent): void {
    strip.update(event);
    beside.base = event.relevant_to ?? '';
    live.textContent = `${event.answered} of ${event.asked} sources answered`;
  }

  /** One question to the server: all sources, or one of them again. */
  function request(source: string | null): void {
    const control = new AbortController();
    const seen = new Set<string>();
    // What another question still waits for is not known now, whatever it was the last time.
    const query = new URLSearchParams(source ? [['source', source], ...(asking.size > 0 ? strip.pending.map((key) => ['asking', key]) : [])] : []);
    asking.set(control, seen);
    strip.asking();
    pane.dataset['done'] = 'no';
    const url = source ? `${base}/stream?${query}` : `${base}/stream`;
    const finished = (complete: boolean): void => {
      asking.delete(control);
      if (complete && source === null) rows.keepOnly(new Set([seen, ...asking.values()].flatMap((told) => [...told])));
      if (opening.current && !rows.find(opening.current)) opening.close();
      if (asking.size === 0) pane.dataset['done'] = 'yes';
      count();
      opening.arrived(true);
      beside.again();
      if (complete && source === null) watch.checked = new Date().toTimeString().slice(0, 5);
      if (asking.size === 0) watch.start();
      if (asking.size === 0) void door.settled();
      if (complete) prefetch();
      else broken(source);
    };
    void ask(url, whose, {
      rows: (found, gone) => {
        if (session.over) return;
        found.forEach((row) => seen.add(row.uid));
        gone.forEach((uid) => seen.delete(uid));
        rows.receive(found, gone);
        if (opening.current && !rows.find(opening.current)) opening.close(); // no longer this patient's
        opening.arrived();
      },
      strip: (event) => {
        if (!session.over) say(event);
      },
      finished: (complete) => {
        if (!session.over) finished(complete);
      },
      ended: () => session.end('server'),
    }, control.signal);
  }

  function retry(key: string | null): void {
    request(key);
  }

  /** The line to our own server broke: never leave a strip that looks finished. */
  function broken(source: string | null): void {
    const line = by('strip');
    line.className = 'strip t-failed';
    const sentence = line.querySelector('.say');
    const text = document.createElement('strong');
    text.textContent = 'The connection to Priors broke off.';
    const again = document.createElement('button');
    again.type = 'button';
    again.className = 'lnk';
    again.textContent = 'Ask again';
    again.addEventListener('click', () => request(source));
    sentence?.replaceChildren(text, ' The list may be incomplete. ', again);
    line.querySelectorAll('.spin').forEach((one) => one.classList.remove('spin'));
    live.textContent = 'The connection broke off. The list may be incomplete.';
    strip.fit();
  }

  const inUse = (): void => {
    rows.inUse = true;
  };
  scroll.addEventListener('scroll', inUse, { passive: true });
  scroll.addEventListener('pointermove', inUse, { passive: true });
  scroll.addEventListener('focusin', inUse);
  scroll.addEventListener('click', (event) => {
    const pressed = event.target instanceof Element ? event.target.closest<HTMLElement>('.cmp') : null;
    if (pressed && opening.current) return together(opening.current, pressed.closest<HTMLElement>('.srow')?.dataset['uid'] ?? '');
    const link = event.target instanceof Element ? event.target.closest<HTMLElement>('a.ttl, a.cp') : null;
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    opening.open(link.dataset['copy'] ?? link.closest<HTMLElement>('.srow')?.dataset['uid'] ?? '');
  });
  document.addEventListener('click', (event) => {
    const asks = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>('a[data-ask], a.rq') : null;
    if (asks && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
      event.preventDefault();
      void drawer.open(asks);
    }
    if (event.target instanceof Element && event.target.closest('[data-clear]')) {
      filters.clear();
      filters.focus();
    }
    if (event.target instanceof Element && event.target.closest('[data-sheet]')) keysSheet.showModal();
    if (event.target instanceof Element && event.target.closest('[data-close]')) event.target.closest('dialog')?.close();
  });

  bindHead();
  bindBreakGlass(() => session.over);
  bindKeySwitch(document.querySelector<HTMLInputElement>('#single-keys'));
  bindKeys(scroll, pane, {
    find: () => filters.focus(),
    clearFind: () => {
      if (!filters.hasText) return false;
      filters.clearText();
      return true;
    },
    rows: () => rows.shown,
    retryFailed: () => strip.failed.forEach((key) => request(key)),
    turnOrder: () => order.turn(),
    request: () => {
      const row = document.activeElement?.closest('.srow') ?? document.querySelector('.srow.sel');
      row?.querySelector<HTMLElement>('a.rq, a.ask')?.click();
    },
    tick: () => {
      const row = document.activeElement?.closest<HTMLElement>('.srow');
      const uid = row?.dataset['archive'] ? (row.dataset['uid'] ?? '') : '';
      if (!uid) return false;
      ticks.turn(uid);
      rows.tick(ticks.all);
      live.textContent = ticks.all.length === 2 ? 'Two studies ticked. Press C to compare them' : ticks.all.length === 1 ? 'One study ticked' : 'No study ticked';
      return true;
    },
    compare,
    help: () => keysSheet.showModal(),
    back: () => {
      if (strip.open) strip.close(true);
      else if (opening.current) opening.close();
      else return false;
      return true;
    },
  });
  // The viewer says that the session is over: then it is over for the whole page.
  const viewerPane = by('viewer-pane');
  new MutationObserver(() => {
    if (viewerPane.dataset['state'] === 'ended') session.end('server');
  }).observe(viewerPane, { attributeFilter: ['data-state'] });
  count();
  opening.follow();
  void door.begin();
  // Until then the strip says, as the page came, that all are being asked.
  void opening.done.then(() => {
    if (!session.over) request(null);
  });
}

start();
