// What is new appears by itself: the page is loaded again when what `data-watch` names has changed; not while it is hidden or somebody writes.
const watched = document.documentElement.dataset.watch;
let known = null;
setInterval(async () => {
  if (document.hidden || document.activeElement instanceof HTMLInputElement) return;
  const found = await fetch(watched).then((answer) => answer.text()).catch(() => known);
  if (known !== null && found !== known) location.reload();
  known = found;
}, 1500);
