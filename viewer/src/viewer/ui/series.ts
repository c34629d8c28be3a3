// The strip of series under the picture: what there is, how much of it is here, what cannot be drawn.
import { type OutlineSeries, isDrawable } from '../outline';
import { count, images } from '../words';
import { h, icon } from './dom';

interface Tile { button: HTMLButtonElement; line: HTMLElement; bar: HTMLElement }

export class SeriesStrip {
  readonly element = h('div', 'v-thumbs', { role: 'group', 'aria-label': 'Series' });
  readonly #tiles = new Map<OutlineSeries, Tile>();
  /** The one that is being dragged now. */
  dragged: OutlineSeries | null = null;

  constructor(private readonly onOpen: (series: OutlineSeries) => void) {}

  /** Adds the series of a study; `of` says whose they are where there are several studies. */
  add(series: OutlineSeries[], of = ''): void {
    for (const each of series) {
      const tile = this.#tile(each, of);
      tile.button.addEventListener('click', () => this.onOpen(each));
      tile.button.addEventListener('dragstart', (event) => {
        this.dragged = each;
        event.dataTransfer?.setData('text/plain', ''); // some browsers drag nothing without data; none of it leaves the page
      });
      tile.button.addEventListener('dragend', () => { this.dragged = null; });
      this.#tiles.set(each, tile);
      this.element.append(tile.button);
    }
  }

  #tile(series: OutlineSeries, of: string): Tile {
    const name = [of, series.number, series.description || series.word || series.modality].filter(Boolean).join(' ');
    const line = h('span', 'v-dim', {}, isDrawable(series) ? counted(series) : series.word || 'Document');
    const bar = h('span', 'v-tbarline', { hidden: true }, h('i'));
    const button = h('button', 'v-th', { type: 'button', title: name, draggable: 'true' }, picture(series), h('span', 'v-tt', {}, h('b', '', {}, name), line, bar));
    return { button, line, bar };
  }

  current(series: OutlineSeries | null): void {
    for (const [each, tile] of this.#tiles) {
      if (each === series) tile.button.setAttribute('aria-current', 'true');
      else tile.button.removeAttribute('aria-current');
    }
    if (series) this.#tiles.get(series)?.button.scrollIntoView?.({ block: 'nearest', inline: 'nearest' });
  }

  progress(series: OutlineSeries, loaded: number, total: number, busy: boolean): void {
    const tile = this.#tiles.get(series);
    if (!tile || total === 0) return;
    tile.line.textContent = loaded === total ? images(total) : `${count(loaded)} of ${count(total)}`;
    tile.bar.hidden = !busy || loaded === total;
    (tile.bar.firstElementChild as HTMLElement).style.width = `${(loaded / total) * 100}%`;
  }
}

function counted(series: OutlineSeries): string {
  return series.count === null ? 'Count unknown' : images(series.count);
}

function picture(series: OutlineSeries): HTMLElement {
  const blank = h('span', isDrawable(series) ? 'v-ph v-plain' : 'v-ph', {}, isDrawable(series) ? series.modality : icon('rep'));
  if (!isDrawable(series) || !series.thumbnail) return blank;
  const image = h('img', '', { src: series.thumbnail, alt: '', loading: 'lazy', decoding: 'async', width: 52, height: 48 });
  image.addEventListener('error', () => image.replaceWith(blank));
  return image;
}
