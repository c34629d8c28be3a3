// Script of the pages without a list: landing, errors, home, audit, set-up.
import '../styles/app.css';
import { bindHead } from '../theme/menu';

bindHead();
// A page of a launch must not come back from the browser's memory after that launch has ended.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});
