// New messages appear by themselves: the page is loaded again when their number has changed, and not while it is hidden.
let known = null;
setInterval(async () => {
  if (document.hidden) return;
  const found = await fetch('/messages.json').then((answer) => answer.text()).catch(() => known);
  if (known !== null && found !== known) location.reload();
  known = found;
}, 1500);
