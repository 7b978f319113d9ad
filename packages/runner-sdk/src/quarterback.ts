// Adding a name here makes it public API.
export { QUARTERBACK_IMAGE } from './hosts/quarterback/options.js';
export { quarterback } from './hosts/quarterback/quarterback.js';

export type { QuarterbackOptions, QuarterbackWork } from './hosts/quarterback/options.js';
