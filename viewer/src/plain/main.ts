// Script of the pages without a list: landing, errors, home, audit, set-up, request.
import '../styles/app.css';
import { bindHead } from '../theme/menu';
import { bindRequest, leaveWhenIdle } from './request';

bindHead();
// A page of a launch must not come back from the browser's memory after that launch has ended.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});
const request = document.querySelector<HTMLFormElement>('#request');
if (request) bindRequest(request);
const { idle, neutral } = document.body.dataset;
if (idle && neutral) leaveWhenIdle(Number(idle), neutral);
