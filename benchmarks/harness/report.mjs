// One line a figure, and one line of JSON for scripts where --json is given.
const asJson = process.argv.includes('--json');

/**
 * @param {string} name
 * @param {Record<string, number | string>} figures
 */
export function report(name, figures) {
  if (asJson) {
    console.log(JSON.stringify({ benchmark: name, ...figures }));
    return;
  }
  console.log(name);
  for (const [label, value] of Object.entries(figures)) console.log(`  ${label.padEnd(38)} ${value}`);
}

/** @param {number} value */
export const round = (value, digits = 2) => Number(value.toFixed(digits));

/** @param {number[]} values */
export const quantile = (values, share) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length * share)];
