// The ECG as paper: 25 mm/s, 10 mm/mV, on a millimetre grid; forms, filters, calipers. Joins the pure parts to the page.
import { Part10Error } from '../../dicom/part10';
import { readFileSet } from '../../dicom/dataset';
import { type Dataset, items, text } from '../../dicom/json';
import { ViewerFault } from '../../transfer/gateway';
import { h } from '../../ui/dom';
import { fileOf } from '../files';
import type { Leaf, LeafHandle } from '../sheet';
import { Calipers } from './calipers';
import { drawPage } from './draw';
import { FILTERS, type FilterName, filtered, section } from './filters';
import { type Form, type Scale, WINDOW, formsOf, pageOf } from './layout';
import { type Lead, leadsOf, mainGroup } from './leads';
import { type Group, WaveformError, readGroups } from './waveform';

export async function ecg(leaf: Leaf): Promise<LeafHandle> {
  const file = await fileOf(leaf.source, leaf.instance);
  try {
    const groups = readGroups(await readFileSet(file));
    const group = mainGroup(groups);
    if (!group) throw new WaveformError(groups.flatMap((one) => one.refused)[0] ?? 'The file holds no curves that can be drawn.');
    return new EcgView(leaf, group);
  } catch (error) {
    if (error instanceof WaveformError) throw new ViewerFault('waveform', 'This ECG could not be drawn.', error.message, null, 0);
    if (error instanceof Part10Error || error instanceof RangeError) throw new ViewerFault('unreadable', 'This ECG could not be read: the file is damaged or cut short.', 'Ask the sending hospital for it again.', null, 0);
    throw error;
  }
}

class EcgView implements LeafHandle {
  readonly print = 'across';
  readonly #leads: Lead[];
  readonly #on = new Set<FilterName>();
  readonly #stage = h('div', 'p-stage');
  readonly #cache = new Map<string, Float64Array>();
  #form: Form;
  #scale: Scale = { speed: 25, gain: 10 };
  #begin = 0;
  #true = false;
  #calipers: Calipers | null = null;
  #size: ResizeObserver;

  constructor(private readonly leaf: Leaf, private readonly group: Group) {
    this.#leads = leadsOf(group);
    this.#form = formsOf(this.#leads)[0] as Form;
    this.#controls();
    leaf.body.append(this.#stage, h('p', 'p-facts', {}, this.#facts()), ...said(leaf.set));
    this.#draw();
    this.#size = new ResizeObserver(() => this.#told());
    this.#size.observe(leaf.body);
  }

  close(): void {
    this.#size.disconnect();
    this.#cache.clear();
    this.leaf.body.replaceChildren();
  }

  #controls(): void {
    const select = (label: string, values: [string, string][], change: (value: string) => void): HTMLElement => {
      const box = h('select', 'p-select', { 'aria-label': label }, ...values.map(([value, words]) => h('option', '', { value }, words)));
      box.addEventListener('change', () => { change(box.value); this.#draw(); });
      return box;
    };
    const toggle = (label: string, change: (on: boolean) => void): HTMLElement => {
      const button = h('button', 'v-tool', { type: 'button', 'aria-pressed': 'false' }, label);
      button.addEventListener('click', () => { const on = button.getAttribute('aria-pressed') !== 'true'; button.setAttribute('aria-pressed', String(on)); change(on); });
      return button;
    };
    const forms: Record<Form, string> = { '3x4': '3 \u00d7 4 and rhythm', '12x1': `${this.#leads.length} \u00d7 1` };
    const filters = (Object.keys(FILTERS) as FilterName[]).filter((name) => section(name, this.group.rate));
    this.leaf.tools.append(
      select('Layout', formsOf(this.#leads).map((form) => [form, forms[form]]), (value) => { this.#form = value as Form; }),
      select('Speed', [['25', '25 mm/s'], ['50', '50 mm/s']], (value) => { this.#scale = { ...this.#scale, speed: Number(value) }; }),
      select('Gain', [['10', '10 mm/mV'], ['5', '5 mm/mV'], ['20', '20 mm/mV']], (value) => { this.#scale = { ...this.#scale, gain: Number(value) }; }),
      h('details', 'p-filters', {}, h('summary', 'v-tool', {}, 'Filters'), h('div', 'p-menu', {}, ...filters.map((name) => {
        const box = h('input', '', { type: 'checkbox' });
        box.addEventListener('change', () => { if (box.checked) this.#on.add(name); else this.#on.delete(name); this.#cache.clear(); this.#draw(); });
        return h('label', '', {}, box, FILTERS[name].label);
      }))),
      toggle('Calipers', (on) => { if (on) this.#measure(); else { this.#calipers?.remove(); this.#calipers = null; } }),
      toggle('True size', (on) => { this.#true = on; this.#stage.classList.toggle('p-true', on); this.#told(); }),
      ...this.#steps(),
    );
  }

  #steps(): HTMLElement[] {
    const whole = this.group.samples / this.group.rate;
    if (whole <= WINDOW + 0.05) return [];
    const last = Math.max(0, Math.ceil(whole / WINDOW - 1) * WINDOW);
    const words = h('span', 'v-dim', { role: 'status' });
    const go = (by: number) => (): void => { this.#begin = Math.min(last, Math.max(0, this.#begin + by)); say(); this.#draw(); };
    const say = (): void => { words.textContent = `Seconds ${this.#begin} to ${Math.round(Math.min(whole, this.#begin + WINDOW))} of ${Math.round(whole)}`; };
    const button = (label: string, by: number): HTMLElement => { const one = h('button', 'v-tool', { type: 'button' }, label); one.addEventListener('click', go(by)); return one; };
    say();
    return [button('Earlier', -WINDOW), button('Later', WINDOW), words];
  }

  #draw(): void {
    const points = this.#calipers?.points;
    const page = pageOf(this.#leads, this.group.rate, this.group.samples, this.#form, this.#scale, this.#begin);
    const label = `ECG, ${this.#leads.length} leads, ${page.seconds.toFixed(1)} seconds`;
    const svg = drawPage(page, this.group.rate, this.#scale, (values) => this.#values(values), this.#words(), label);
    svg.setAttribute('width', `${page.width}mm`);
    svg.setAttribute('height', `${page.height + 6}mm`);
    this.#stage.replaceChildren(svg);
    this.#calipers = points ? new Calipers(svg, page, this.#scale, (words) => this.leaf.note(words), points) : null;
    this.#told();
  }

  #measure(): void {
    const svg = this.#stage.querySelector('svg');
    if (!svg) return;
    const page = pageOf(this.#leads, this.group.rate, this.group.samples, this.#form, this.#scale, this.#begin);
    this.#calipers = new Calipers(svg, page, this.#scale, (words) => this.leaf.note(words));
    this.#calipers.focus();
  }

  #values(values: Float64Array): Float64Array {
    if (this.#on.size === 0) return values;
    const key = String(this.#leads.findIndex((lead) => lead.values === values));
    const had = this.#cache.get(key) ?? filtered(values, this.group.rate, this.#on);
    this.#cache.set(key, had);
    return had;
  }

  #words(): string {
    const on = [...this.#on].map((name) => FILTERS[name].on);
    const filters = on.length ? `FILTERED HERE: ${on.join(', ')}` : 'No filter added here';
    const star = this.#leads.some((lead) => lead.calculated) ? ' \u00b7 * calculated from I and II' : '';
    return `${this.#scale.speed} mm/s \u00b7 ${this.#scale.gain} mm/mV \u00b7 ${filters}${star}`;
  }

  // A screen does not know its own size: what a millimetre is here is said, not claimed.
  #told(): void {
    const svg = this.#stage.querySelector('svg');
    if (!svg) return;
    const share = svg.getBoundingClientRect().width / (svg.viewBox.baseVal.width * (96 / 25.4));
    const words = this.#true ? 'True size, as far as this screen tells its size: check with a ruler.' : `Drawn at ${Math.round(share * 100)} % of true size. The squares are still 1 mm of paper.`;
    let line = this.#stage.querySelector('.p-size');
    if (!line) { line = h('p', 'p-size'); this.#stage.append(line); }
    line.textContent = `${this.#words()} \u00b7 ${words}`;
  }

  #facts(): string {
    const first = this.group.channels[0];
    const hertz = (value: number | null | undefined): string => (value ? String(value) : '');
    const band = first && (first.low || first.high) ? `Recorded with ${hertz(first.low) || '?'} to ${hertz(first.high) || '?'} Hz${first.notch ? `, notch ${first.notch} Hz` : ''}.` : 'The recorder\u2019s own filters are not given.';
    return [`${this.group.rate} samples a second.`, band, ...this.group.refused].join(' ');
  }
}

/** What the recorder wrote about it, as its own statement. */
function said(set: Dataset): HTMLElement[] {
  const notes = items(set, '0040B020').slice(0, 400);
  const words = notes.map((note) => text(note, '00700006')).filter((one): one is string => Boolean(one));
  const once = new Set<string>(); // recorders repeat a measurement for every beat
  const measured = notes.flatMap((note) => {
    const [name, unit] = [items(note, '0040A043')[0], items(note, '004008EA')[0]];
    const value = text(note, '0040A30A');
    const what = name ? (text(name, '00080104') ?? '') : '';
    if (once.has(what) || once.size > 40) return [];
    once.add(what);
    return name && value ? [[what, value, unit ? (text(unit, '00080100') ?? '') : ''] as const] : [];
  });
  if (words.length === 0 && measured.length === 0) return [];
  return [h('section', 'p-said', { 'aria-label': 'Written by the recorder' }, h('h3', '', {}, 'Written by the recorder, not confirmed here'),
    ...words.map((one) => h('p', '', {}, one)),
    measured.length ? h('table', 'p-table', {}, h('tbody', '', {}, ...measured.map(([name, value, unit]) => h('tr', '', {}, h('th', '', { scope: 'row' }, name), h('td', '', {}, `${value} ${unit}`))))) : null)];
}
