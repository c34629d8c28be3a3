// The image desk in the browser: menus, ticks, and a list that keeps itself new. Every action is a form and works without this.
import '../styles/app.css';
import { bindHead } from '../theme/menu';

bindHead();
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});
