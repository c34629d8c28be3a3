// Prints one paper: a copy of it at the end of the page, which is all that the printer is shown.
import { h } from '../ui/dom';

export interface PrintOut { remove(): void }

/** Opens the browser's print dialogue. The copy leaves when the dialogue closes, or by `remove`. */
export function printOut(paper: HTMLElement, way: 'upright' | 'across', warning: string): PrintOut {
  const copy = paper.cloneNode(true) as HTMLElement;
  copy.className = `v-printout p-${way}`;
  copy.dataset.bsTheme = 'light'; // paper is white, whatever the screen is
  copy.removeAttribute('hidden');
  copy.querySelectorAll('.p-bar, .p-note').forEach((one) => one.remove());
  const canvases = [...paper.querySelectorAll('canvas')];
  copy.querySelectorAll('canvas').forEach((blank, at) => { // a copied canvas is empty
    const drawn = canvases[at];
    if (drawn) blank.replaceWith(h('img', blank.className, { src: drawn.toDataURL('image/png'), alt: blank.getAttribute('aria-label') ?? '' }));
  });
  copy.append(h('p', 'p-foot', {}, `${warning}. Printed from Priors ${new Date().toLocaleString('en-GB')}.`));
  document.body.append(copy);
  const out: PrintOut = { remove: () => { copy.remove(); window.removeEventListener('afterprint', out.remove); } };
  window.addEventListener('afterprint', out.remove);
  window.print();
  return out;
}
