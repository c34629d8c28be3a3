// The senders' page: choose, look, send, done. Before "Send" nothing leaves this device.
import './portal.css';
import { ofDrop, ofInput } from './gather';
import { look } from './header';
import type { Item } from './item';
import type { Person } from './people';
import { Sending, type Trouble } from './sending';
import { $, findings, found, line, note, sendLabel, step } from './show';
import { type Asked, type Looked, type Survey, chosen, survey } from './survey';
import { type Found, Over, type Talk, wire } from './wire';
import { clock, count, left, size } from './words';
import { members } from './zip';

interface Given {
  token: string; chunk: number; person: Person | null; asked: Asked | null; until: string; reference: string; site: string; purpose: string;
  open: { files: number; whole: number; bytes: number; received: number } | null;
}

const LOOKED_AT_ONCE = 8;
const POLLS = 40;

class Page {
  readonly #wire: Talk;
  readonly #looked = new Map<string, Looked>();
  #survey: Survey = { read: 0, owners: [], loose: [], left: [], table: [] };
  #sending: Sending | null = null;
  #lostAt: Date | null = null;
  #began = 0;
  #before = 0;
  #said: Trouble = 'none';

  constructor(private readonly given: Given) {
    this.#wire = wire(given.token);
    this.#bind();
    const { open } = given;
    if (open && open.files > 0) {
      $('resume-words').textContent = `${size(open.received)} of ${size(open.bytes)} are safely received, ${open.whole.toLocaleString('en')} of ${count(open.files, 'file')} whole. `
        + 'Choose the same disc or files again: it goes on where it stopped, and nothing is sent twice.';
      $('resume').hidden = false;
    }
    for (const section of document.querySelectorAll<HTMLElement>('.step')) section.hidden = section.id !== 'step-drop';
  }

  #bind(): void {
    for (const name of ['folder', 'files', 'camera'] as const) {
      const input = $<HTMLInputElement>(`pick-${name}`);
      document.querySelector(`[data-pick=${name}]`)?.addEventListener('click', () => input.click());
      input.addEventListener('change', () => {
        const items = ofInput(input);
        input.value = '';
        void this.#add(items);
      });
    }
    const does: Record<string, () => void> = { send: () => void this.#send(), more: () => step('drop'), again: () => this.#again(), pause: () => this.#pause(), 'only-that': () => void this.#onlyThat() };
    for (const [name, run] of Object.entries(does)) document.querySelector(`[data-do=${name}]`)?.addEventListener('click', run);
    const drop = document.getElementById('drop');
    addEventListener('dragover', (event) => event.preventDefault());
    addEventListener('drop', (event) => event.preventDefault());
    drop?.addEventListener('dragenter', () => drop.classList.add('over'));
    drop?.addEventListener('dragleave', (event) => {
      if (!drop.contains(event.relatedTarget as Node | null)) drop.classList.remove('over');
    });
    drop?.addEventListener('drop', (event) => {
      drop.classList.remove('over');
      if (event.dataTransfer) void ofDrop(event.dataTransfer).then((items) => this.#add(items));
    });
    addEventListener('beforeunload', (event) => {
      if (this.#sending) event.preventDefault();
    });
  }

  async #add(items: Item[]): Promise<void> {
    if (items.length === 0) return;
    const say = $('reading');
    let done = 0;
    const queue = [...items];
    const work = async (): Promise<void> => {
      for (let item = queue.shift(); item; item = queue.shift()) {
        const seen = await look(item).catch(() => ({ kind: 'other' as const, header: null }));
        const inside = seen.kind === 'zip' ? await members(item) : null;
        if (inside) queue.push(...inside);
        else this.#looked.set(`${item.name}|${item.size}|${item.mark}`, { item, ...seen });
        done += 1;
        if (done % 25 === 0) say.textContent = `${done.toLocaleString('en')} files read…`;
      }
    };
    await Promise.all(Array.from({ length: LOOKED_AT_ONCE }, work));
    if (queue.length > 0) await work();
    say.textContent = '';
    this.#survey = survey([...this.#looked.values()], this.given.person, this.given.asked);
    const label = (): void => {
      const button = document.querySelector<HTMLButtonElement>('[data-do=send]') as HTMLButtonElement;
      button.textContent = sendLabel(this.#survey);
      button.disabled = chosen(this.#survey).length === 0;
    };
    found(this.#survey, label);
    label();
    step('found');
  }

  async #send(): Promise<void> {
    const items = chosen(this.#survey);
    $('resume').hidden = true;
    $('trouble').replaceChildren();
    this.#sending = new Sending(this.#wire, items, this.given.chunk, {
      moved: () => this.#moved(),
      trouble: (kind) => this.#trouble(kind),
      wait: (seconds) => new Promise((resolve) => {
        const timer = setTimeout(resolve, seconds * 1000);
        addEventListener('online', () => { clearTimeout(timer); resolve(); }, { once: true });
      }),
    });
    this.#began = performance.now();
    this.#before = -1;
    step('sending');
    this.#moved();
    try {
      await this.#sending.run();
      await this.#finish(this.#sending, []);
    } catch (error) {
      this.#stopped(error);
    }
  }

  async #finish(sending: Sending, without: number[]): Promise<void> {
    const failed = sending.files.filter((one) => one.failed);
    const missing = await this.#wire.finish(sending.upload, [...failed.map((one) => one.file), ...without]);
    const leave = missing.filter((file) => !sending.files.some((one) => one.file === file));
    if (leave.length > 0 && without.length === 0) {
      this.#earlier(sending, leave);
      return;
    }
    this.#sending = null;
    this.#done(sending);
  }

  // Files that were begun in an earlier visit and are not among these: nobody but the sender can say whether they still come.
  #earlier(sending: Sending, files: number[]): void {
    const box = $('trouble');
    const words = `${count(files.length, 'file')} from an earlier visit ${files.length === 1 ? 'has' : 'have'} not come whole. `;
    const go = document.createElement('button');
    go.type = 'button';
    go.className = 'lnk';
    go.textContent = 'Leave them out';
    go.addEventListener('click', () => void this.#finish(sending, files).catch((error: unknown) => this.#stopped(error)));
    const add = go.cloneNode() as HTMLButtonElement;
    add.textContent = 'Add them';
    add.addEventListener('click', () => { this.#sending = null; step('drop'); });
    box.replaceChildren(note('warn', 'part', 'Something is missing from before', words, add, ' ', go));
  }

  #moved(): void {
    const sending = this.#sending;
    if (!sending) return;
    const { received, bytes } = sending;
    $('received').textContent = `${size(received)} safely received`;
    if (this.#before < 0 && sending.files.length > 0) this.#before = received;
    const speed = (received - Math.max(0, this.#before)) / ((performance.now() - this.#began) / 1000);
    $('of').textContent = [`of ${size(bytes)}`, left((bytes - received) / speed)].filter(Boolean).join(', ');
    $<HTMLProgressElement>('bar').value = bytes > 0 ? (100 * received) / bytes : 0;
    $('parts').replaceChildren(...this.#parts(sending));
  }

  #parts(sending: Sending): HTMLElement[] {
    const held = new Map(sending.files.map((one) => [one.item, one]));
    return this.#groups().map(({ title, items, unit }) => {
      const whole = items.filter((item) => held.get(item)?.whole).length;
      const some = items.some((item) => (held.get(item)?.held ?? 0) > 0);
      const mark: [string, string] = whole === items.length ? ['ok', 'ok'] : some ? ['load', 'acc spin'] : ['clock', 'm2'];
      return line(...mark, title, '', whole === items.length || some ? `${whole.toLocaleString('en')} of ${count(items.length, unit)} received` : 'next');
    });
  }

  #groups(): { title: string; items: Item[]; unit: string }[] {
    const studies = this.#survey.owners.flatMap((owner) => owner.studies).filter((study) => study.chosen).map(({ title, items }) => ({ title, items, unit: 'image' }));
    return [...studies, ...this.#survey.loose.filter((one) => one.chosen).map(({ label, items }) => ({ title: label, items, unit: 'file' }))];
  }

  #trouble(kind: Trouble): void {
    const box = $('trouble');
    const button = document.querySelector<HTMLButtonElement>('[data-do=pause]') as HTMLButtonElement;
    button.textContent = kind === 'paused' ? 'Go on' : 'Pause';
    if (kind === 'lost') {
      this.#lostAt ??= new Date();
      box.replaceChildren(note('warn', 'part', `The connection was lost at ${clock(this.#lostAt)}`, 'It goes on by itself; what is safely received stays, nothing is sent twice.'));
    } else if (kind === 'no-room') {
      box.replaceChildren(note('warn', 'part', 'We have no room at the moment; nothing of this file was kept.', 'Leave the page open, it tries again.'));
    } else if (kind === 'none' && this.#lostAt) {
      const seconds = Math.max(1, Math.round((Date.now() - this.#lostAt.getTime()) / 1000));
      box.replaceChildren(note('warn', 'part', `The connection was lost at ${clock(this.#lostAt)}`, `It went on by itself after ${count(seconds, 'second')}. What is safely received stays, nothing is sent twice.`));
      this.#lostAt = null;
    } else if (kind === 'none' && this.#said !== 'lost') {
      box.replaceChildren(); // what is told of a lost connection stays
    }
    if (kind !== 'none') this.#said = kind;
  }

  #pause(): void {
    const button = document.querySelector<HTMLButtonElement>('[data-do=pause]') as HTMLButtonElement;
    if (button.textContent === 'Pause') this.#sending?.pause();
    else this.#sending?.resume();
  }

  #stopped(error: unknown): void {
    this.#sending = null;
    const words = error instanceof Over ? error.words : 'The page could not go on. Open the link again: what is safely received stays.';
    $('trouble').replaceChildren(note('bad', 'bad', 'Sending has stopped', words));
  }

  async #onlyThat(): Promise<void> {
    try {
      const upload = await this.#wire.begin();
      const missing = await this.#wire.finish(upload, []);
      const still = missing.length > 0 ? await this.#wire.finish(upload, missing) : [];
      if (still.length === 0) {
        $('resume').hidden = true;
        const state = (await this.#wire.state()).find((one) => one.upload === upload);
        this.#say(state?.whole ?? 0, state?.whole ?? 0, state?.received ?? 0, []);
        void this.#poll(upload);
      }
    } catch (error) {
      $('resume-words').textContent = error instanceof Over ? error.words : 'There was no answer. Try again in a moment.';
    }
  }

  #done(sending: Sending): void {
    const failed = sending.files.filter((one) => one.failed).map((one) => one.item.name);
    this.#say(sending.whole, sending.files.length, sending.received, failed);
    void this.#poll(sending.upload);
  }

  #say(whole: number, files: number, bytes: number, failed: string[]): void {
    const head = $('h-done');
    head.textContent = failed.length > 0 ? `${failed.length.toLocaleString('en')} of ${count(files, 'file')} ${failed.length === 1 ? 'has' : 'have'} a problem` : 'Every file is safely received';
    head.dataset['tone'] = failed.length > 0 ? 'warn' : 'ok';
    $('done-lead').textContent = failed.length > 0
      ? `${count(whole, 'file')} ${whole === 1 ? 'is' : 'are'} safely received and stay${whole === 1 ? 's' : ''} with us.`
      : `${whole.toLocaleString('en')} of ${count(files, 'file')}, ${size(bytes)}, at ${clock(new Date())}.`;
    const lines = this.#groups().map(({ title, items, unit }) => line('ok', 'ok', title, '', count(items.length, unit)));
    const broken = failed.slice(0, 20).map((name) => line('part', 'warn', name.split('/').at(-1) ?? name, '', 'could not be read on your device, or has changed. Send it again from the original.'));
    $('done-parts').replaceChildren(...(failed.length > 0 ? broken : lines));
    $('done-parts').hidden = $('done-parts').childElementCount === 0;
    step('done');
  }

  // What those who look at it say, while the sender is still here.
  async #poll(upload: string): Promise<void> {
    for (let tries = 0; tries < POLLS; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(15, 2 + tries) * 1000));
      try {
        const mine = (await this.#wire.state()).find((one) => one.upload === upload);
        if (mine?.checked) {
          this.#checked(mine.findings);
          return;
        }
      } catch (error) {
        if (error instanceof Over) return;
      }
    }
  }

  #checked(all: Found[]): void {
    const asked = this.given.reference !== '';
    const wrong = findings(all, { site: this.given.site, add: () => this.#again(), cannot: asked ? () => this.#wire.cannot() : null });
    const more = document.querySelector<HTMLElement>('[data-do=again]');
    if (more) more.hidden = wrong; // the same as "Add", which is the first thing to do then
    if (!wrong) return;
    const head = $('h-done');
    if (head.dataset['tone'] !== 'warn') head.textContent = 'Safely received, with a problem';
    head.dataset['tone'] = 'warn';
    $('done-foot').textContent = `${asked ? 'The request stays open. ' : ''}This link stays open for more until ${this.given.until}.${asked ? ` Reference ${this.given.reference}.` : ''}`;
  }

  #again(): void {
    this.#looked.clear();
    $('checked').replaceChildren();
    step('drop');
  }
}

const given = document.body.dataset['send'];
if (given) new Page(JSON.parse(given) as Given);
document.querySelector('[data-print]')?.addEventListener('click', () => print());
