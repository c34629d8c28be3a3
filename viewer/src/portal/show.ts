// Draws the four steps. Everything that came out of a file is put in as text.
import { type Owner, type Survey, chosen } from './survey';
import { born, spoken } from './people';
import type { Found } from './wire';
import { count, day, size } from './words';

export const $ = <T extends HTMLElement = HTMLElement>(id: string): T => document.getElementById(id) as T;

export function step(name: 'drop' | 'found' | 'sending' | 'done'): void {
  for (const section of document.querySelectorAll<HTMLElement>('.step')) section.hidden = section.id !== `step-${name}`;
  $(`h-${name}`).focus({ preventScroll: false });
  window.scrollTo(0, 0);
}

export function icon(name: string, tone = ''): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', `i ${tone}`);
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
}

function el(tag: string, cls = '', ...inside: (Node | string)[]): HTMLElement {
  const made = document.createElement(tag);
  if (cls) made.className = cls;
  made.append(...inside);
  return made;
}

export function note(tone: 'warn' | 'bad' | 'info', mark: string, title: string, ...words: (Node | string)[]): HTMLElement {
  return el('div', `note n-${tone}`, icon(mark), el('div', '', el('h2', '', title), el('p', '', ...words)));
}

export function line(mark: string, tone: string, title: string, words: string, more = ''): HTMLElement {
  const rest = more ? [document.createElement('br'), el('span', 'm2', more)] : [];
  return el('div', 'it', icon(mark, tone), el('div', '', el('strong', '', title), words ? `, ${words}` : '', ...rest));
}

/** Step 3. `changed` is called when something is ticked or unticked. */
export function found(result: Survey, changed: () => void): void {
  const box = $('found');
  box.replaceChildren();
  $('found-lead').textContent = `${count(result.read, 'file')} read on your device. Nothing is sent yet.`;
  for (const owner of result.owners) box.append(owner.is === 'other' ? stranger(owner) : person(owner, changed));
  for (const one of result.loose) {
    const first = one.items.length === 1 ? (one.items[0]?.name.split('/').at(-1) ?? '') : count(one.items.length, 'file');
    box.append(el('div', 'card3', tick(`${one.label}`, `${first}, ${size(one.bytes)}`, '', one, changed)));
  }
  if (result.left.length > 0) {
    const list = el('ul', 'names', ...result.left.slice(0, 500).map((item) => el('li', '', item.name)));
    box.append(el('div', 'card3', el('div', 'it', icon('none', 'm2'), el('div', '', `${count(result.left.length, 'file')} left out`,
      el('details', '', el('summary', 'm2', 'Programs from the disc and the like, not needed. See them'), list)))));
  }
  if (result.owners.length === 0 && result.loose.length === 0) box.prepend(note('warn', 'part', 'Nothing here can be sent.', 'We found no images, PDFs or photos in these files.'));
}

export function sendLabel(result: Survey): string {
  const studies = result.owners.flatMap((owner) => owner.studies).filter((study) => study.chosen).length;
  const items = chosen(result);
  const what = studies > 0 ? count(studies, 'study', 'studies') : count(items.length, 'file');
  return `Send ${what}, ${size(items.reduce((sum, item) => sum + item.size, 0))}`;
}

function person(owner: Owner, changed: () => void): HTMLElement {
  const said = { same: ' This is the person asked for.', unsure: '', doubt: ' Something differs from the person asked for: tick it only if it is the same person.', other: '' }[owner.is];
  const mark = { same: ['ok', 'ok'], unsure: ['info', 'm2'], doubt: ['part', 'warn'], other: ['split', 'bad'] }[owner.is] as [string, string];
  const card = el('div', 'card3', el('div', 'it', icon(...mark), el('div', '', el('h2', '', spoken(owner.name)), el('span', 'm2', `${born(owner.born)}.${said}`))));
  for (const study of owner.studies) {
    const images = `${count(study.items.length, 'image')}, ${size(study.bytes)}${study.asked ? ', asked for' : ''}`;
    const care = study.asked && study.thick ? 'Thick slices only. If you have the thin ones, add them.' : '';
    card.append(tick(study.title, [day(study.date), images].filter(Boolean).join('\n'), care, study, changed));
  }
  return card;
}

function stranger(owner: Owner): HTMLElement {
  const images = owner.studies.reduce((sum, study) => sum + study.items.length, 0);
  const who = `${count(owner.studies.length, 'study', 'studies')}, ${count(images, 'image')}, of ${spoken(owner.name)}, ${born(owner.born).replace(/^./, (first) => first.toLowerCase())}. It will `;
  return note('bad', 'split', 'Somebody else is among these files', who, el('strong', '', 'not'), ' be sent.');
}

let ticks = 0;
function tick(title: string, words: string, care: string, of: { chosen: boolean }, changed: () => void): HTMLElement {
  const input = document.createElement('input');
  input.type = 'checkbox';
  input.id = `tick-${(ticks += 1)}`;
  input.checked = of.chosen;
  input.addEventListener('change', () => {
    of.chosen = input.checked;
    changed();
  });
  const [first = '', second = ''] = words.includes('\n') ? words.split('\n') : ['', words];
  const label = el('label', '', el('strong', '', title), first ? `, ${first}` : '', document.createElement('br'), el('span', 'm2', second));
  label.setAttribute('for', input.id);
  if (care) label.append(document.createElement('br'), el('span', 'warn s', icon('part', 'i-s'), ` ${care}`));
  return el('div', 'it', input, label);
}

export interface Ways {
  site: string;
  /** Choose files again: only what is damaged or missing has to be among them. */
  add(): void;
  /** Tell them that it will not come; null where nobody asked for it. */
  cannot: (() => Promise<void>) | null;
}

/** What was found by those who looked at it, while the sender is still here. True: something of it is damaged or missing. */
export function findings(all: Found[], ways: Ways): boolean {
  const box = $('checked');
  box.replaceChildren();
  const marks = { good: ['ok', 'ok'], care: ['part', 'warn'], bad: ['bad', 'bad'] } satisfies Record<Found['level'], [string, string]>;
  if (all.length === 0) return false;
  const bad = all.filter((one) => one.level === 'bad');
  const again = bad.filter((one) => one.what !== 'person' && one.what !== 'state');
  box.append(el('h2', 'sec', bad.length > 0 ? 'We looked at them, and something is wrong' : 'We looked at them'));
  const worst = [...all].sort((one, other) => ORDER[one.level] - ORDER[other.level]);
  box.append(el('div', 'card3', ...worst.map((one) => el('div', 'it', icon(...(marks[one.level] as [string, string])), el('div', '', one.words)))));
  if (again.length > 0) box.append(...whatToDo(again.reduce((sum, one) => sum + one.count, 0), ways));
  return again.length > 0;
}

const ORDER: Record<Found['level'], number> = { bad: 0, care: 1, good: 2 };

function whatToDo(missing: number, ways: Ways): HTMLElement[] {
  const only = missing === 0 ? '' : missing === 1 ? ' Only the one is needed.' : ` Only the ${missing.toLocaleString('en')} are needed.`;
  const card = el('div', 'card3', el('h2', '', 'What you can do'), line('disc', 'acc', 'Send that part again', '', `From your archive, not from this copy.${only}`));
  const add = el('button', 'btn btn-primary btn-w', missing > 0 ? `Add the ${count(missing, 'image')}` : 'Add what is missing');
  add.addEventListener('click', ways.add);
  const buttons = el('div', 'bts', add);
  const { cannot } = ways;
  if (cannot) {
    card.append(line('chat', 'acc', `Tell ${ways.site} that you cannot`, '', 'They decide whether the rest is enough.'));
    const no = el('button', 'btn btn-w', 'I cannot send them') as HTMLButtonElement;
    no.addEventListener('click', () => {
      no.disabled = true;
      void cannot().then(
        () => no.replaceWith(el('p', '', icon('ok', 'ok'), ` ${ways.site} knows that you cannot send them.`)),
        () => { no.disabled = false; no.textContent = 'There was no answer. Tell them again'; },
      );
    });
    buttons.append(no);
  }
  return [card, buttons];
}
