// The strip of series under the picture: what there is, how much of it is here, what cannot be drawn.
import { type OutlineSeries, isDrawable } from '../outline';
import { count, images } from '../words';
import { h, icon } from './dom';

interface Tile { button: HTMLButtonElement; line: HTMLElement; bar: HTMLElement }

export class SeriesStrip {
  readonly element = h('div', 'v-thumbs', { role: 'group', 'aria-label': 'Series' });
  readonly #tiles = new Map<string, Tile>();

  constructor(series: OutlineSeries[], onOpen: (series: OutlineSeries) => void) {
    for (const each of series) {
      const tile = this.#tile(each);
      tile.button.addEventListener('click', () => onOpen(each));
      this.#tiles.set(each.uid, tile);
      this.element.append(tile.button);
    }
  }

  #tile(series: OutlineSeries): Tile {
    const name = [series.number, series.description || series.word || series.modality].filter(Boolean).join(' ');
    const line = h('span', 'v-dim', {}, isDrawable(series) ? counted(series) : series.kind === 'document' ? series.word || 'Document' : 'not drawable');
    const bar = h('span', 'v-tbarline', { hidden: true }, h('i'));
    const button = h('button', 'v-th', { type: 'button', title: name }, picture(series), h('span', 'v-tt', {}, h('b', '', {}, name), line, bar));
    return { button, line, bar };
  }

  current(uid: string): void {
    for (const [each, tile] of this.#tiles) {
      if (each === uid) tile.button.setAttribute('aria-current', 'true');
      else tile.button.removeAttribute('aria-current');
    }
    this.#tiles.get(uid)?.button.scrollIntoView?.({ block: 'nearest', inline: 'nearest' });
  }

  progress(uid: string, loaded: number, total: number, busy: boolean): void {
    const tile = this.#tiles.get(uid);
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
  const blank = h('span', isDrawable(series) ? 'v-ph v-plain' : 'v-ph', {}, isDrawable(series) ? series.modality : icon(series.kind === 'document' ? 'rep' : 'none'));
  if (!isDrawable(series) || !series.thumbnail) return blank;
  const image = h('img', '', { src: series.thumbnail, alt: '', loading: 'lazy', decoding: 'async', width: 52, height: 48 });
  image.addEventListener('error', () => image.replaceWith(blank));
  return image;
}
