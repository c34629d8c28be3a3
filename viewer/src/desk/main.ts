// The image desk in the browser: menus, ticks, and a list that keeps itself new. Every action is a form and works without this.
import '../styles/app.css';
import { bindHead } from '../theme/menu';
import { tellTime } from './due';
import { Live } from './live';
import { bindOne } from './one';
import { bindTicks } from './ticks';

const MINUTE = 60_000;

bindHead();
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});
document.querySelector('[data-print]')?.addEventListener('click', () => print());

/** Nobody is there any more: names of patients leave the document, and the way back in is shown. */
function leave(): void {
  const template = document.getElementById('desk-ended') as HTMLTemplateElement | null;
  const sprite = document.querySelector('.sprite');
  if (template) document.body.replaceChildren(...(sprite ? [sprite] : []), template.content.cloneNode(true));
}

function bindIdle(seconds: number): void {
  let last = Date.now();
  for (const kind of ['pointerdown', 'keydown', 'wheel', 'touchstart']) addEventListener(kind, () => (last = Date.now()), { passive: true, capture: true });
  const timer = setInterval(() => {
    if (Date.now() - last < seconds * 1000) return;
    clearInterval(timer);
    leave();
  }, 10_000);
}

function bindList(rows: HTMLElement, filters: HTMLFormElement, bar: HTMLElement): void {
  const said = bar.querySelector('[data-ticked]') as HTMLElement;
  const ticks = bindTicks(rows, said, bar);
  const views = document.getElementById('views') as HTMLElement;
  const status = document.getElementById('live') as HTMLElement;
  const waiting = document.getElementById('waiting') as HTMLElement;
  let pointed = false;
  rows.addEventListener('pointerenter', () => (pointed = true));
  rows.addEventListener('pointerleave', () => (pointed = false));
  for (const select of filters.querySelectorAll('select')) select.addEventListener('change', () => filters.requestSubmit());
  const saving = document.getElementById('saving') as HTMLFormElement;
  const live = new Live(rows.dataset['known'] ?? '', {
    url: `${location.pathname.split('/').slice(0, 4).join('/')}/watch`,
    launch: document.body.dataset['launch'] ?? '',
    seconds: Number(status.dataset['seconds']),
    fields: () => {
      // The page as it was asked for, not what somebody is typing into its filters now.
      const found = new URLSearchParams([...new FormData(saving)].flatMap(([name, value]) => (typeof value === 'string' && name !== 'title' ? [[name, value]] : [])));
      found.set('current', rows.dataset['current'] ?? '');
      return found;
    },
    busy: () => pointed || rows.contains(document.activeElement) || bar.hasAttribute('data-some'),
    draw: (rowsHtml, viewsHtml) => {
      ticks.keep(() => (rows.innerHTML = rowsHtml));
      views.innerHTML = viewsHtml;
    },
    waits: (is) => (waiting.hidden = !is),
    said: (words, well) => {
      const text = status.querySelector('span');
      if (text && (text.textContent ?? '') !== words && (words !== 'Live' || !(text.textContent ?? '').startsWith('Live'))) text.textContent = words;
      status.classList.toggle('warn', !well);
    },
    ended: leave,
  });
  waiting.querySelector('button')?.addEventListener('click', () => live.show());
  setInterval(() => tellTime(rows, Date.now()), MINUTE / 2);
  live.start();
  bindIdle(Number(status.dataset['idle']));
}

function bindRequest(page: HTMLElement): void {
  const changed = document.getElementById('changed') as HTMLElement;
  const written = (): boolean => [...page.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>('textarea, input[name=text]')].some((one) => one.value.trim() !== '');
  changed.querySelector('button')?.addEventListener('click', () => location.replace(page.dataset['here'] ?? location.href));
  bindOne({
    url: `${page.dataset['here'] ?? ''}/now`,
    launch: document.body.dataset['launch'] ?? '',
    version: Number(page.dataset['version']),
    seconds: Number(page.dataset['seconds']),
    busy: () => written() || page.querySelector('.menu:not([hidden])') !== null || page.querySelector('.code') !== null,
    again: () => location.replace(page.dataset['here'] ?? location.href),
    waits: () => (changed.hidden = false),
    ended: leave,
  });
}

const one = document.querySelector<HTMLElement>('.onepage[data-version]');
if (one) bindRequest(one);
const rows = document.getElementById('rows');
const filters = document.getElementById('filters');
const bar = document.getElementById('bulk');
if (rows && bar && filters instanceof HTMLFormElement) bindList(rows, filters, bar);
else if (document.body.dataset['idle']) bindIdle(Number(document.body.dataset['idle']));
