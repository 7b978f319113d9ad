import type { MetricFamily, MetricSample } from '../model/metric-family.js';
import { createLabelSeries } from './label-series.js';

/** Counts measured values by how large they are. */
export interface Histogram {
  /** @param labels - a value for each label, in order */
  observe(value: number, ...labels: readonly string[]): void;
  collect(): MetricFamily;
}

export interface HistogramOptions {
  readonly name: string;
  readonly help: string;
  /** Upper bounds, rising. */
  readonly buckets: readonly number[];
  readonly labels?: readonly string[];
  /** Default: 200. */
  readonly maxSeries?: number;
}

/** From a millisecond to ten minutes: what waiting and running take. */
export const SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600,
] as const;

interface Series {
  /** One a bucket, and one for what is larger than all. */
  readonly counts: number[];
  sum: number;
}

export function createHistogram(options: HistogramOptions): Histogram {
  const { name, help, buckets, labels = [], maxSeries = 200 } = options;
  const make = (): Series => ({ counts: Array.from({ length: buckets.length + 1 }, () => 0), sum: 0 });
  const series = createLabelSeries({ names: labels, maxSeries, make });
  if (labels.length === 0) series.of([]);

  const samplesOf = (of: Readonly<Record<string, string>>, { counts, sum }: Series): MetricSample[] => {
    let below = 0;
    const rows = counts.map((count, at) => {
      below += count;
      const bound = buckets[at];
      const le = bound === undefined ? '+Inf' : String(bound);
      return { suffix: '_bucket', labels: { ...of, le }, value: below };
    });
    return [
      ...rows,
      { suffix: '_sum', labels: of, value: sum },
      { suffix: '_count', labels: of, value: below },
    ];
  };

  return {
    observe(value, ...values) {
      const one = series.of(values);
      let at = 0;
      while (at < buckets.length && value > (buckets[at] ?? Infinity)) at += 1;
      one.counts[at] = (one.counts[at] ?? 0) + 1;
      one.sum += value;
    },
    collect: () => ({
      name,
      help,
      type: 'histogram',
      samples: [...series.entries()].flatMap(([of, one]) => samplesOf(of, one)),
    }),
  };
}
