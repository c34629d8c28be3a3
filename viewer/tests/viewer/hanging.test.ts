import { describe, expect, it } from 'vitest';
import { hang, protocolFor } from '../../src/viewer/hanging';
import type { OutlineSeries } from '../../src/viewer/outline';

const series = (modality: string, ...names: string[]): OutlineSeries[] => names.map((description, i) => ({
  uid: `1.${i}`, number: String(i + 1), modality, description, count: 10, kind: 'images', word: '', sentence: null, thumbnail: null,
}));
const names = (hung: (OutlineSeries | null)[]): (string | undefined)[] => hung.map((each) => each?.description);

describe('which protocol a study is hung by', () => {
  it('CT chest with its prior CT chest: lung beside lung', () => {
    const current = { title: 'CT chest with contrast', series: series('CT', 'Scout', 'Axial soft', 'Axial lung 1.25 mm') };
    const prior = { title: 'CT chest', series: series('CT', 'Thorax', 'Lung') };
    const protocol = protocolFor(current, prior);
    expect(protocol?.name).toBe('CT chest with prior CT chest');
    expect(protocol && names(hang(protocol, current, prior))).toEqual(['Axial lung 1.25 mm', 'Lung']);
    expect(protocolFor(current, null)).toBeNull();
  });
  it('takes what the study opens with where no series bears the word', () => {
    const current = { title: 'CT chest', series: series('CT', 'Scout', 'Axial 5 mm') };
    const protocol = protocolFor(current, current);
    expect(protocol && names(hang(protocol, current, { title: '', series: series('CT', 'A') }))).toEqual(['Axial 5 mm', 'A']);
  });
  it('mammography in four views, right beside left, whatever the order they came in', () => {
    const current = { title: 'Mammography', series: series('MG', 'L MLO', 'R CC', 'LCC', 'R-MLO') };
    const protocol = protocolFor(current, null);
    expect(protocol?.layout).toBe('2x2');
    expect(protocol && names(hang(protocol, current, null))).toEqual(['R CC', 'LCC', 'R-MLO', 'L MLO']);
  });
  it('does not hang four views where one of them is missing or not named', () => {
    expect(protocolFor({ title: 'Mammography', series: series('MG', 'L MLO', 'R CC', 'LCC') }, null)).toBeNull();
  });
  it('four loops of an echo, two runs of an angiography', () => {
    expect(protocolFor({ title: 'Echocardiogram, transthoracic', series: series('US', 'a', 'b', 'c', 'd', 'e') }, null)?.layout).toBe('2x2');
    expect(protocolFor({ title: 'Coronary angiogram', series: series('XA', 'LCA', 'RCA') }, null)?.layout).toBe('1x2');
    expect(protocolFor({ title: 'Coronary angiogram', series: series('XA', 'LCA') }, null)).toBeNull();
    expect(protocolFor({ title: 'Ultrasound liver', series: series('US', 'a', 'b', 'c', 'd') }, null)).toBeNull();
  });
  it('anything beside its prior, one each', () => {
    const protocol = protocolFor({ title: 'MR', series: series('MR', 'T1') }, { title: 'MR', series: series('MR', 'T2') });
    expect(protocol?.name).toBe('Current and prior');
  });
  it('nothing where there is no picture to hang', () => {
    const report: OutlineSeries = { ...(series('SR', 'Report')[0] as OutlineSeries), kind: 'document' };
    expect(protocolFor({ title: 'Report', series: [report] }, null)).toBeNull();
    expect(protocolFor({ title: 'CT', series: series('CT', 'a') }, { title: 'Report', series: [report] })).toBeNull();
  });
});
