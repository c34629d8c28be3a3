// The viewer alone in a page, for work on it without launch and list: `vite build --mode dev --outDir DIR`, then serve
// DIR beside an outline and a DICOMweb path. Opens /l/<launch>/studies/<study>?archive=KEY&patient=KEY.
import '../src/styles/app.css';
import { closeStudy, openStudy } from '../src/viewer/main';

const query = new URLSearchParams(location.search);
const [, , launch = '', , study = ''] = location.pathname.split('/');
const pane = document.getElementById('viewer-pane');
if (query.get('theme')) document.documentElement.dataset.bsTheme = query.get('theme') ?? 'light';
if (pane) void openStudy(pane, { launch, study, archive: query.get('archive') ?? '', patient: query.get('patient') ?? '' });
Object.assign(window, { closeStudy, openStudy });
