// The pictures beside a review, and the large view of every image of what arrived. What is being drawn, and what cannot be, is said in words.
import { type Drawn, type Study, ask } from './drawn';
import { Look } from './look';

const source = (picture: string): string => `data:image/png;base64,${picture}`;

function show(figure: HTMLElement, one: Drawn | null): void {
  const button = figure.querySelector('button') as HTMLButtonElement;
  const place = button.querySelector('.pich') as HTMLElement;
  if (one?.picture) {
    const image = new Image();
    image.alt = '';
    image.src = source(one.picture);
    place.replaceWith(image);
  } else {
    place.textContent = one ? 'Cannot be drawn' : 'No answer';
  }
}

/** The pictures of one study after those of the other: each starts one process there. */
export async function bindPictures(box: HTMLElement): Promise<void> {
  const studies = JSON.parse(box.dataset['studies'] ?? '[]') as Study[];
  const base = box.dataset['base'] ?? '';
  const said = document.getElementById('pictures-said') as HTMLElement;
  const look = new Look(document.getElementById('look') as HTMLDialogElement, studies, base);
  const figures = [...box.querySelectorAll<HTMLElement>('figure')];
  for (const figure of figures) {
    const spot = { study: Number(figure.dataset['study']), at: Number(figure.dataset['at']) };
    figure.querySelector('button')?.addEventListener('click', () => look.open(spot));
  }
  document.querySelector('[data-look]')?.addEventListener('click', () => look.open({ study: Math.max(0, studies.findIndex((one) => one.images > 0)), at: 0 }));
  let drawn = 0;
  let missing = 0;
  const tell = (): void => { said.textContent = drawn < figures.length ? `Drawing picture ${drawn + 1} of ${figures.length}…` : missing === 0 ? '' : figures.length === 1 ? 'The picture could not be shown.' : `${missing} of ${figures.length} pictures could not be shown.`; };
  tell();
  for (const [number, study] of studies.entries()) {
    const mine = figures.filter((one) => Number(one.dataset['study']) === number);
    const waiting = new Set(mine);
    const done = (figure: HTMLElement, one: Drawn | null): void => {
      waiting.delete(figure);
      show(figure, one);
      drawn += 1;
      if (!one?.picture) missing += 1;
      tell();
    };
    if (mine.length === 0) continue;
    await ask(`${base}/${study.item}/pictures?`, mine.map((one) => Number(one.dataset['at'])), (one) => {
      const figure = mine.find((each) => waiting.has(each) && Number(each.dataset['at']) === one.at);
      if (figure) done(figure, one);
    }).catch(() => undefined);
    for (const figure of [...waiting]) done(figure, null);
  }
}
