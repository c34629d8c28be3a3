// Script of the pages without a list: landing, errors, home, audit, set-up, request.
import '../styles/app.css';
import { bindHead } from '../theme/menu';
import { bindPictures } from '../intake/pictures';
import { bindForm } from '../image_requests/form';
import { bindSheet, leaveWhenIdle } from '../image_requests/sheet';
import { Timeline } from '../image_requests/timeline';

bindHead();
// A page of a launch must not come back from the browser's memory after that launch has ended.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});
const request = document.querySelector<HTMLFormElement>('#request');
if (request) bindForm(request);
const sheet = document.querySelector<HTMLElement>('.rqpage:has(#rq-text)');
if (sheet) bindSheet(sheet);
const pictures = document.getElementById('pictures');
if (pictures) void bindPictures(pictures);
const { idle, neutral, launch, patient } = document.body.dataset;
const story = document.querySelector<HTMLElement>('#story');
if (story) new Timeline(story, { launch: launch ?? '', patient: patient ?? '' }, () => location.replace(neutral ?? '/'));
if (idle && neutral) leaveWhenIdle(Number(idle), neutral);
