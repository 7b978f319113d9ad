// Adding a name here makes it public API.
export { swamp, swampRunnerOptions } from './hosts/swamp/swamp.js';

export type { CommandLineOptions } from './hosts/command-line.js';
export type { SwampOptions, SwampRunnerOptions } from './hosts/swamp/options.js';
