// A request taken another way: its text follows the form, to be printed or copied; nothing is sent from here.

/** Label and value of each line, in the page's order; lines of one label are joined, empty ones left out. */
export function textOf(lines: readonly (readonly [string, string])[]): string {
  const told = new Map<string, string[]>();
  for (const [label, value] of lines) if (value.trim()) told.set(label, [...(told.get(label) ?? []), value.trim()]);
  return [...told].map(([label, values]) => `${label}: ${values.join(', ')}`).join('\n');
}

function line(element: HTMLElement): [string, string] {
  const label = element.dataset['line'] ?? '';
  if (element instanceof HTMLSelectElement) return [label, element.value ? (element.selectedOptions[0]?.textContent ?? '') : ''];
  if (!(element instanceof HTMLInputElement)) return [label, element.textContent ?? ''];
  if (element.type === 'checkbox' || element.type === 'radio') return [label, element.checked ? (element.dataset['says'] ?? element.value) : ''];
  return [label, element.type === 'datetime-local' ? element.value.replace('T', ' ') : element.value];
}

async function copy(text: HTMLTextAreaElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text.value);
    return true;
  } catch {
    // A frame may not be allowed to write to the clipboard: the text is selected, and the old way is tried.
    text.focus();
    text.select();
    return document.execCommand('copy');
  }
}

export function bindSheet(page: HTMLElement): void {
  const text = page.querySelector('textarea') as HTMLTextAreaElement;
  const said = page.querySelector('#copied') as HTMLElement;
  const write = (): void => {
    text.value = textOf([...page.querySelectorAll<HTMLElement>('[data-line]')].map(line));
    said.textContent = '';
  };
  page.addEventListener('input', write);
  page.addEventListener('change', write);
  page.querySelector('[data-print]')?.addEventListener('click', () => print());
  page.querySelector('[data-copy-text]')?.addEventListener('click', () => {
    void copy(text).then((done) => {
      said.textContent = done ? 'Copied.' : 'The browser did not allow it. The text is marked: copy it with Ctrl+C.';
    });
  });
  write();
  // Paper is white: what the dark theme writes on it could not be read.
  const root = document.documentElement;
  let theme = root.dataset['bsTheme'];
  addEventListener('beforeprint', () => {
    theme = root.dataset['bsTheme'];
    root.dataset['bsTheme'] = 'light';
  });
  addEventListener('afterprint', () => {
    root.dataset['bsTheme'] = theme ?? 'light';
  });
}

/** A page with a patient on it goes back to the list when nobody uses it: by then the session is over, and the list says so. */
export function leaveWhenIdle(seconds: number, to: string): void {
  let timer = 0;
  const again = (): void => {
    clearTimeout(timer);
    timer = window.setTimeout(() => location.replace(to), (seconds + 5) * 1000);
  };
  for (const name of ['pointermove', 'keydown', 'pointerdown'] as const) addEventListener(name, again, { passive: true });
  again();
}
