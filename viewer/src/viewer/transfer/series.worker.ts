// Fetches one series beside the page, so that neither Cornerstone's start nor the wheel waits for hundreds of images.
// Told where by one message; answers with each file as it is ready, then with how it ended. Ended by `terminate`.
import { readArrived } from './arriving';
import { type SeriesPaths, ViewerFault, streamSeries } from './gateway';
import type { Told } from './streaming';

const tell = (told: Told, give: Transferable[] = []): void => (postMessage as (message: Told, give: Transferable[]) => void)(told, give);

async function bring(paths: SeriesPaths): Promise<void> {
  const reading: Promise<void>[] = [];
  try {
    await streamSeries(paths, (file) => reading.push(readArrived(file).then((arrived) => {
      tell({ arrived }, [...new Set([...arrived.frames, ...(arrived.values ? [arrived.values.read.data] : [])].map((view) => view.buffer))]);
    }, () => undefined)), new AbortController().signal); // what cannot be read is asked for by itself, and told then
    await Promise.all(reading);
    tell({ over: null });
  } catch (error) {
    await Promise.all(reading);
    const { code, title, action, reference, status } = error instanceof ViewerFault ? error : new ViewerFault('cut', '', '', null, 0);
    tell({ over: [code, title, action, reference, status] });
  }
}

addEventListener('message', (event: MessageEvent<SeriesPaths>) => void bring(event.data), { once: true });
