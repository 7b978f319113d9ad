// Adding a name here makes it public API.
export { automn } from './hosts/automn/automn.js';

export type { AutomnOptions } from './hosts/automn/options.js';
