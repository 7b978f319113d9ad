import type { MetricFamily } from '../model/metric-family.js';
import { createLabelSeries } from './label-series.js';

/** Counts up, for ever. */
export interface Counter {
  /** @param labels - a value for each label, in order */
  add(by: number, ...labels: readonly string[]): void;
  collect(): MetricFamily;
}

export interface CounterOptions {
  /** Ends in `_total`. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  /** Default: 1,000. */
  readonly maxSeries?: number;
}

export function createCounter({ name, help, labels = [], maxSeries = 1_000 }: CounterOptions): Counter {
  const series = createLabelSeries({ names: labels, maxSeries, make: () => ({ count: 0 }) });
  // What can have only one series is there from the start, so that its rate is known from its first event on.
  if (labels.length === 0) series.of([]);
  return {
    add: (by, ...values) => void (series.of(values).count += by),
    collect: () => ({
      name,
      help,
      type: 'counter',
      samples: [...series.entries()].map(([of, { count }]) => ({ labels: of, value: count })),
    }),
  };
}
