import { describe, expect, it } from 'vitest';
import { gauge } from '../model/metric-family.js';
import { createCounter } from './counter.js';
import { toExposition } from './exposition.js';
import { createHistogram } from './histogram.js';

describe('metrics as text', () => {
  it('are a help line, a type line and a line a sample', () => {
    const counter = createCounter({ name: 'jobs_total', help: 'Jobs.', labels: ['status'] });
    counter.add(2, 'failed');
    counter.add(1, 'failed');
    expect(toExposition([counter.collect()])).toBe(
      '# HELP jobs_total Jobs.\n# TYPE jobs_total counter\njobs_total{status="failed"} 3\n',
    );
  });

  it('keep what labels contain on their line', () => {
    const text = toExposition([gauge('depth', 'a\nb \\', [[{ of: 'say "hi"\n\\' }, 1]])]);
    expect(text).toBe('# HELP depth a\\nb \\\\\n# TYPE depth gauge\ndepth{of="say \\"hi\\"\\n\\\\"} 1\n');
  });

  it('write numbers that JSON has no words for', () => {
    const text = toExposition([
      gauge('x', 'x', [
        [{}, Infinity],
        [{}, -Infinity],
        [{}, Number.NaN],
      ]),
    ]);
    expect(text.split('\n').slice(2, 5)).toEqual(['x +Inf', 'x -Inf', 'x NaN']);
  });

  it('count each value of a histogram in every bucket that it fits in', () => {
    const histogram = createHistogram({ name: 'took', help: 'Time.', buckets: [1, 5] });
    for (const value of [0.5, 1, 3, 9]) histogram.observe(value);
    expect(toExposition([histogram.collect()])).toBe(
      '# HELP took Time.\n# TYPE took histogram\ntook_bucket{le="1"} 2\ntook_bucket{le="5"} 3\n' +
        'took_bucket{le="+Inf"} 4\ntook_sum 13.5\ntook_count 4\n',
    );
  });

  it('show what nothing was counted of yet as zero, where there is one series', () => {
    expect(toExposition([createCounter({ name: 'a_total', help: 'A.' }).collect()])).toContain('a_total 0\n');
  });

  it('gather what comes after the last series that there may be under "other"', () => {
    const counter = createCounter({ name: 'a_total', help: 'A.', labels: ['of', 'by'], maxSeries: 2 });
    for (const of of ['a', 'b', 'c', 'd', 'a']) counter.add(1, of, 'x');
    expect(counter.collect().samples).toEqual([
      { labels: { of: 'a', by: 'x' }, value: 2 },
      { labels: { of: 'b', by: 'x' }, value: 1 },
      { labels: { of: 'other', by: 'other' }, value: 2 },
    ]);
  });
});
