// Adding a name here makes it public API.
export { swarmlet, swarmletHosts } from './hosts/swarmlet/swarmlet.js';

export type { CommandLineOptions } from './hosts/command-line.js';
export type { SwarmletOptions } from './hosts/swarmlet/options.js';
