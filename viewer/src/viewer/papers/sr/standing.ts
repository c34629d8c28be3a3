// How far a document is to be relied on, as its own flags say. Pure.
import { type Dataset, items, personName, text } from '../../dicom/json';
import { clock, day } from '../../words';

export interface Standing { /** `warn`: it may still change, or nobody has signed for it. */ tone: 'ok' | 'warn'; words: string[] }

export function standingOf(set: Dataset): Standing {
  const [preliminary, complete, verified] = ['0040A496', '0040A491', '0040A493'].map((tag) => text(set, tag)?.toUpperCase());
  const words = [
    preliminary === 'PRELIMINARY' ? 'Preliminary' : preliminary === 'FINAL' ? 'Final' : '',
    complete === 'PARTIAL' ? 'Partial: more is to come' : complete === 'COMPLETE' ? 'Complete' : 'Completeness not stated',
    verified === 'VERIFIED' ? `Verified${signers(set)}` : verified === 'UNVERIFIED' ? 'Not verified by anybody' : 'Verification not stated',
  ].filter(Boolean);
  if (items(set, '0040A360').length > 0) words.push('Replaces an earlier document');
  return { tone: verified === 'VERIFIED' && complete === 'COMPLETE' && preliminary !== 'PRELIMINARY' ? 'ok' : 'warn', words };
}

function signers(set: Dataset): string {
  const names = items(set, '0040A073').flatMap((one) => {
    const when = text(one, '0040A030') ?? '';
    const name = personName(one, '0040A075');
    return name ? [[name, day(when.slice(0, 8)), clock(when.slice(8))].filter(Boolean).join(' ')] : [];
  });
  return names.length ? ` by ${names.slice(0, 5).join('; ')}` : '';
}
