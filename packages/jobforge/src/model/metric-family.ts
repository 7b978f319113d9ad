/** One measured value and what it belongs to. */
export interface MetricSample {
  /** Behind the family's name, such as `_bucket`. Default: nothing. */
  readonly suffix?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Samples of one name, as Prometheus groups them. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: readonly MetricSample[];
}

/** A gauge that is read when it is asked for. */
export function gauge(
  name: string,
  help: string,
  samples: number | readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[],
): MetricFamily {
  const read = typeof samples === 'number' ? [[{}, samples] as const] : samples;
  return { name, help, type: 'gauge', samples: read.map(([labels, value]) => ({ labels, value })) };
}
