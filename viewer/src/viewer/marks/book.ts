// A person's marks on one study as this page has them, and their way to the server: saved by themselves shortly after a change,
// one after the other. Never throws away what another window has saved: then both are kept, and the person is told.
import type { Request } from '../outline';
import { ViewerFault, getJson, sendJson } from '../transfer/gateway';
import { KINDS, type Mark, POINTS } from './types';

const SOON_MS = 600;
export const MOST = 500;

export type Standing = 'loading' | 'saved' | 'saving' | 'unsaved' | 'failed';
export interface Report { may: boolean; why: string; archive: string; state: string; current: boolean }

export class Book {
  marks: Mark[] = [];
  standing: Standing = 'loading';
  sentence = '';
  report: Report = { may: false, why: '', archive: '', state: '', current: false };
  mayExport: 'off' | 'without-identity' | 'with-identity' = 'off';
  days = 0;
  #version = 0;
  #timer = 0;
  #sending: Promise<void> | null = null;
  #dirty = false;

  constructor(readonly request: Request, private readonly changed: () => void) {}

  get #path(): string {
    const { launch, archive, study } = this.request;
    return `/l/${encodeURIComponent(launch)}/marks/${encodeURIComponent(archive)}/${encodeURIComponent(study)}`;
  }

  async load(): Promise<void> {
    try {
      this.#take(await getJson(this.#path), true);
      this.#stands('saved');
    } catch (error) {
      this.#stands('failed', `Your saved marks could not be loaded. ${error instanceof ViewerFault ? error.action : ''}`.trim());
    }
  }

  /** What is on the images of one series now. Returns whether anything is new. */
  put(series: string, marks: readonly Mark[]): boolean {
    const before = this.marks.filter((mark) => mark.series === series);
    if (JSON.stringify(before) === JSON.stringify(marks)) return false;
    this.marks = [...this.marks.filter((mark) => mark.series !== series), ...marks];
    this.#soon();
    return true;
  }

  remove(id: string): void {
    this.marks = this.marks.filter((mark) => mark.id !== id);
    this.#soon();
  }

  rename(id: string, name: string): void {
    this.marks = this.marks.map((mark) => (mark.id === id ? { ...mark, name } : mark));
    this.#soon();
  }

  #soon(): void {
    this.#dirty = true;
    if (this.standing === 'loading' || (this.standing === 'failed' && this.#version === 0 && this.sentence.startsWith('Your saved'))) { this.changed(); return; } // what is there is not known
    this.#stands('unsaved');
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.save(), SOON_MS);
  }

  /** Sends what has changed, after what is being sent. */
  async save(): Promise<void> {
    window.clearTimeout(this.#timer);
    await this.#sending;
    if (!this.#dirty) return;
    this.#sending = this.#send().finally(() => { this.#sending = null; });
    await this.#sending;
  }

  async #send(): Promise<void> {
    this.#dirty = false;
    this.#stands('saving');
    try {
      const { status, body } = await sendJson('PUT', this.#path, { version: this.#version, marks: this.marks.slice(0, MOST) });
      if (status === 409) { this.#join(body); return; }
      this.#take(body, false);
      this.#stands(this.#dirty ? 'unsaved' : 'saved');
    } catch (error) {
      this.#dirty = true;
      this.#stands('failed', error instanceof ViewerFault ? `Your marks are not saved. ${error.title} ${error.action}` : 'Your marks are not saved.');
    }
  }

  // Another window of the same person was first: its marks and ours are kept, ours where both have one.
  #join(body: unknown): void {
    const now = record(record(body).now);
    const ours = this.marks;
    this.#take(now, true);
    const known = new Set(ours.map((mark) => mark.id));
    this.marks = [...ours, ...this.marks.filter((mark) => !known.has(mark.id))];
    this.#soon();
    this.sentence = 'Changed in another window too: the marks of both are kept.';
    this.changed();
  }

  /** Has the marks written to the archive, as they are now. */
  async file(): Promise<void> {
    await this.save();
    try {
      this.#take((await sendJson('POST', `${this.#path}/report`, { version: this.#version })).body, false);
      this.#stands('saved');
    } catch (error) {
      this.#stands('saved', error instanceof ViewerFault ? `${error.title} ${error.action}` : 'Nothing was written to the archive.');
    }
  }

  /** Looks whether the archive has it by now. */
  async look(): Promise<void> {
    await getJson(this.#path).then((body) => { this.#take(body, false); this.changed(); }).catch(() => undefined);
  }

  /** Has the taking out of one picture recorded. Only then may it be made. */
  async recordPicture(series: string, instance: string, frame: number, identity: boolean): Promise<void> {
    const { body } = await sendJson('POST', `${this.#path}/picture`, { series, instance, frame, identity });
    const told = record(body);
    if (told.recorded !== true || told.patient !== this.request.patient) throw mismatch();
  }

  #take(answer: unknown, marks: boolean): void {
    const body = record(answer);
    if (body.launch !== this.request.launch || body.patient !== this.request.patient || body.study !== this.request.study) throw mismatch();
    if (typeof body.version === 'number') this.#version = body.version;
    if (typeof body.days === 'number') this.days = body.days;
    const report = record(body.report);
    const words = (key: string): string => (typeof report[key] === 'string' ? report[key] : '');
    this.report = { may: report.may === true, why: words('why'), archive: words('archive'), state: words('state'), current: report.current === true };
    this.mayExport = body.export === 'with-identity' || body.export === 'without-identity' ? body.export : 'off';
    if (marks) this.marks = (Array.isArray(body.marks) ? body.marks : []).filter(isMark);
  }

  #stands(standing: Standing, sentence = ''): void {
    [this.standing, this.sentence] = [standing, sentence];
    this.changed();
  }
}

export function isMark(value: unknown): value is Mark {
  const mark = record(value);
  const kind = KINDS.find((each) => each === mark.kind);
  return Boolean(kind) && typeof mark.id === 'string' && typeof mark.name === 'string' && typeof mark.series === 'string' && typeof mark.instance === 'string' && typeof mark.frame === 'number'
    && Array.isArray(mark.points) && mark.points.length === (kind ? POINTS[kind] : -1) && mark.points.every((point) => Array.isArray(point) && point.length === 2 && point.every(Number.isFinite))
    && Array.isArray(mark.values) && mark.values.every((each) => typeof record(each).what === 'string' && typeof record(each).unit === 'string' && Number.isFinite(record(each).value));
}

function mismatch(): ViewerFault {
  return new ViewerFault('mismatch', 'The answer was for another patient or study, so it was not used.', 'Open the Images tab again from the patient\u2019s chart.', null, 0);
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
