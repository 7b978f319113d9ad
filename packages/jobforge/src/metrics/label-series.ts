/**
 * @module
 * metrics/ counts what happens and writes it in the text format that Prometheus reads. Counting is a look-up in a map
 * and an addition; all else is done when somebody asks. It imports model/ and nothing else.
 */

/** What a series belongs to once there are too many of them. */
export const OTHER = 'other';

/** Values by the values of their labels. */
export interface LabelSeries<Value> {
  /** The value of these labels, made where it is not there. */
  of(labels: readonly string[]): Value;
  entries(): Iterable<readonly [labels: Readonly<Record<string, string>>, value: Value]>;
}

export interface LabelSeriesOptions<Value> {
  readonly names: readonly string[];
  readonly make: () => Value;
  /** Distinct series; what comes after them counts as `other`. */
  readonly maxSeries: number;
}

/** Keeps a bounded number of series: labels come from outside, and each series stays for ever. */
export function createLabelSeries<Value>(options: LabelSeriesOptions<Value>): LabelSeries<Value> {
  const { names, make, maxSeries } = options;
  const values = new Map<string, { readonly labels: readonly string[]; readonly value: Value }>();
  const rest = names.map(() => OTHER);
  const add = (labels: readonly string[]): Value => {
    const value = make();
    values.set(labels.join('\n'), { labels, value });
    return value;
  };
  return {
    of(labels) {
      const [only = ''] = labels;
      const known = values.get(labels.length === 1 ? only : labels.join('\n'));
      if (known !== undefined) return known.value;
      if (values.size < maxSeries) return add([...labels]);
      return values.get(rest.join('\n'))?.value ?? add(rest);
    },
    *entries() {
      for (const { labels, value } of values.values())
        yield [Object.fromEntries(names.map((name, at) => [name, labels[at] ?? ''])), value];
    },
  };
}
