import { describe, expect, it } from 'vitest';
import { EventSplitter } from '../../src/list/sse';

const STREAM = 'event: strip\ndata: {"a":1}\n\n: comment\n\nevent: rows\r\ndata: one\r\ndata: two\r\n\r\nid: 7\ndata:bare\n\nevent: unfinished\ndata: lost';

describe('event splitter', () => {
  const whole = new EventSplitter().push(STREAM);

  it('reads events, comments and several data lines', () => {
    expect(whole).toEqual([
      { event: 'strip', data: '{"a":1}' },
      { event: 'rows', data: 'one\ntwo' },
      { event: 'message', data: 'bare' },
    ]);
  });

  it('gives the same events however the text is cut', () => {
    for (let size = 1; size < STREAM.length; size += 1) {
      const splitter = new EventSplitter();
      const found = [];
      for (let at = 0; at < STREAM.length; at += size) found.push(...splitter.push(STREAM.slice(at, at + size)));
      expect(found, `pieces of ${size}`).toEqual(whole);
    }
  });

  it('never hands out an event that was cut off', () => {
    expect(new EventSplitter().push('event: rows\ndata: {"rows":[]}')).toEqual([]);
  });
});
