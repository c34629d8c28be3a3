// The words in the four corners. Whose study it is comes from the files themselves, so that a study filed under the
// wrong name shows the name it really carries; the list's own words fill in only what the files leave out.
import { slicePosition } from './dicom/images';
import type { Outline, OutlineSeries } from './outline';
import type { SeriesSession } from './session';
import type { Shown } from './stack';
import type { CornerLines } from './ui/viewport';
import { clock, day, decimal, sexLetter, whole } from './words';

export function cornersOf(outline: Outline, series: OutlineSeries, session: Pick<SeriesSession, 'head' | 'images'> | null, index: number, shown: Shown | null): CornerLines {
  const { study } = outline;
  const head = session?.head ?? null;
  const image = session?.images[index];
  const total = session?.images.length ?? 0;
  const identity = [day(head?.born ?? study.patient.born), sexLetter(head?.sex ?? study.patient.sex), head?.id ?? study.patient.id];
  const position = image ? slicePosition(image) : null;
  return {
    top: [head?.name ?? study.patient.name, identity.filter(Boolean).join(' · ')],
    topRight: [study.hospital || (head?.hospital ?? ''), [day(head?.date), clock(head?.time)].filter(Boolean).join(' ') || study.date, study.outside ? 'Outside study' : ''],
    bottom: [
      [series.number ? `Series ${series.number}` : 'Series', series.description || series.modality].filter(Boolean).join(' · '),
      shown ? [shown.window ? `W ${whole(shown.window.width)} · L ${whole(shown.window.center)}` : '', `zoom ${Math.round(shown.zoom * 100)} %`].filter(Boolean).join(' · ') : '',
    ],
    bottomRight: [
      total > 0 ? `Image ${index + 1} of ${total}` : '',
      [position === null ? '' : `Position ${decimal(position)} mm`, image?.thickness ? `${decimal(image.thickness)} mm thick` : ''].filter(Boolean).join(' · '),
      image?.lossy ? 'Lossy compression' : '',
    ],
  };
}
