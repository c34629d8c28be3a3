// "For the help desk": the lines of one source as plain text, to be copied. In a frame the clipboard may be closed to us: then the lines are selected.

/** `Label: value`, a line each. */
export const deskText = (list: Element): string => {
  const lines: string[] = [];
  for (const label of list.querySelectorAll('dt')) {
    const value = label.nextElementSibling;
    if (value?.tagName === 'DD') lines.push(`${label.textContent?.trim() ?? ''}: ${value.textContent?.trim() ?? ''}`);
  }
  return lines.join('\n');
};

export const copyDesk = async (button: HTMLElement): Promise<void> => {
  const list = button.parentElement?.querySelector('dl');
  if (!list) return;
  let word = 'Copied';
  try {
    await navigator.clipboard.writeText(deskText(list));
  } catch {
    getSelection()?.selectAllChildren(list);
    word = 'Selected: copy with Ctrl+C';
  }
  const label = button.firstChild;
  if (label) label.textContent = word;
  const live = document.getElementById('live');
  if (live) live.textContent = word;
};
