// The request form: the time follows the urgency until somebody sets it, and hospitals are looked up by name.
const PAUSE = 200;

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** The time that goes with an urgency is put in as long as the field still holds what another urgency put there. */
function bindUrgency(form: HTMLFormElement): void {
  const by = form.querySelector<HTMLInputElement>('[name=needed_by]');
  const choices = [...form.querySelectorAll<HTMLInputElement>('[name=urgency]')];
  if (!by) return;
  const anchor = form.querySelector<HTMLSelectElement>('[name=anchor]');
  choices.forEach((one) => one.addEventListener('change', () => {
    const untouched = by.value === '' || choices.some((other) => other.dataset['by'] === by.value);
    if (one.checked && untouched) by.value = one.dataset['by'] ?? '';
  }));
  const follow = (): void => {
    by.disabled = Boolean(anchor?.value);
  };
  anchor?.addEventListener('change', follow);
  follow();
}

function place(name: string): HTMLLabelElement {
  const label = document.createElement('label');
  label.className = 'check';
  const box = document.createElement('input');
  Object.assign(box, { type: 'checkbox', name: 'to', value: 'other', checked: true });
  box.dataset['line'] = 'From';
  box.dataset['says'] = name;
  const words = document.createElement('span');
  const strong = document.createElement('b');
  strong.textContent = name;
  const rest = document.createElement('span');
  rest.className = 'm2 s';
  rest.textContent = ' · not in the directory; the desk finds out how to ask';
  words.append(strong, rest);
  label.append(box, words);
  return label;
}

function bindSearch(form: HTMLFormElement, fetcher: Fetch): void {
  const find = form.querySelector<HTMLInputElement>('[data-find]');
  const found = form.querySelector<HTMLElement>('[data-found]');
  const list = form.querySelector<HTMLElement>('[data-list]');
  const said = form.querySelector<HTMLElement>('[data-found-words]');
  const unlisted = form.querySelector<HTMLElement>('[data-unlisted]');
  const hospital = form.querySelector<HTMLInputElement>('[name=hospital]');
  if (!find || !found || !list || !said || !hospital || !unlisted) return;
  let timer = 0;
  let asking: AbortController | undefined;

  const show = (html: string): void => {
    const template = document.createElement('template');
    template.innerHTML = html;
    const known = new Set([...list.querySelectorAll<HTMLInputElement>('[name=to]')].map((box) => box.value));
    const fresh = [...template.content.querySelectorAll<HTMLElement>('label')].filter((one) => !known.has(one.querySelector('input')?.value ?? ''));
    const other = document.createElement('button');
    other.type = 'button';
    other.className = 'btn btn-quiet btn-24';
    other.textContent = `Not here: ask the desk to find “${find.value.trim()}”`;
    other.addEventListener('click', () => {
      list.querySelector('[value=other]')?.closest('label')?.remove();
      list.append(place(find.value.trim()));
      hospital.value = find.value.trim();
      clear();
      form.dispatchEvent(new Event('change', { bubbles: true }));
    });
    found.replaceChildren(...fresh, other);
    found.hidden = false;
    said.textContent = fresh.length === 1 ? '1 found' : `${fresh.length} found`;
  };
  const clear = (): void => {
    asking?.abort();
    find.value = '';
    found.replaceChildren();
    found.hidden = true;
    said.textContent = '';
  };
  const look = async (): Promise<void> => {
    asking?.abort();
    if (!find.value.trim()) return clear();
    const control = new AbortController();
    asking = control;
    try {
      const answer = await fetcher(`${form.dataset['places']}?find=${encodeURIComponent(find.value.trim())}`, { credentials: 'same-origin', cache: 'no-store', signal: control.signal });
      if (!answer.ok) throw new Error(String(answer.status));
      const html = await answer.text();
      if (!control.signal.aborted) show(html);
    } catch {
      if (!control.signal.aborted) said.textContent = 'The directory did not answer. Try again.';
    }
  };
  find.addEventListener('input', () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => void look(), PAUSE);
  });
  find.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault(); // looks; it does not send
    clearTimeout(timer);
    void look();
  });
  found.addEventListener('change', (event) => {
    const label = event.target instanceof HTMLElement ? event.target.closest('label') : null;
    if (!label) return;
    list.append(label);
    label.querySelector('input')?.focus();
    clear();
  });
  list.addEventListener('change', () => {
    unlisted.hidden = !list.querySelector<HTMLInputElement>('[value=other]:checked');
  });
}

export function bindForm(form: HTMLFormElement, fetcher: Fetch = (url, init) => fetch(url, init)): void {
  bindUrgency(form);
  bindSearch(form, fetcher);
  form.querySelector<HTMLElement>('[data-problems]')?.focus();
}
