// The small menus of the page head: open, close, arrow keys, and the choice of colours.

/** Opens `menu` from `button`; Esc and leaving it close it. Calls `onOpen` before it is shown. */
export function bindMenu(button: HTMLElement, menu: HTMLElement, onOpen: () => void = () => undefined): () => void {
  const isOpen = (): boolean => !menu.hidden;
  const stops = (): HTMLElement[] => [...menu.querySelectorAll<HTMLElement>('button:not(:disabled), input, a[href]')];
  const close = (refocus: boolean): void => {
    if (!isOpen()) return;
    menu.hidden = true;
    button.setAttribute('aria-expanded', 'false');
    if (refocus) button.focus();
  };
  const open = (): void => {
    onOpen();
    menu.hidden = false;
    button.setAttribute('aria-expanded', 'true');
  };
  button.addEventListener('click', () => (isOpen() ? close(true) : open()));
  button.addEventListener('keydown', (event) => {
    if (event.key !== 'ArrowDown') return;
    event.preventDefault();
    if (!isOpen()) open();
    stops()[0]?.focus();
  });
  menu.addEventListener('keydown', (event) => {
    const input = document.activeElement;
    if (input instanceof HTMLInputElement && (input.type === 'radio' || input.type === 'date')) return;
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    event.preventDefault();
    const all = stops();
    const at = all.indexOf(input as HTMLElement);
    all[(at + (event.key === 'ArrowDown' ? 1 : -1) + all.length) % all.length]?.focus();
  });
  const holder = menu.parentElement ?? menu;
  holder.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !isOpen()) return;
    event.stopPropagation();
    close(true);
  });
  holder.addEventListener('focusout', (event) => {
    const to = event.relatedTarget;
    if (to instanceof Node && !holder.contains(to)) close(false);
  });
  document.addEventListener('pointerdown', (event) => {
    if (event.target instanceof Node && !holder.contains(event.target)) close(false);
  });
  return () => close(false);
}

/** Wires every `[data-menu]` button and the three colour buttons. */
export function bindHead(): void {
  for (const button of document.querySelectorAll<HTMLElement>('[data-menu]')) {
    const menu = document.getElementById(button.getAttribute('aria-controls') ?? '');
    if (menu) bindMenu(button, menu);
  }
  const choices = [...document.querySelectorAll<HTMLElement>('[data-theme-choice]')].filter((one) => one !== document.documentElement);
  const show = (choice: string): void =>
    choices.forEach((one) => one.setAttribute('aria-pressed', String(one.dataset['themeChoice'] === choice)));
  show(document.documentElement.dataset['themeChoice'] ?? 'auto');
  for (const button of choices) {
    button.addEventListener('click', () => {
      const choice = button.dataset['themeChoice'] ?? 'auto';
      show(choice);
      document.dispatchEvent(new CustomEvent('priors:theme', { detail: choice }));
    });
  }
}
