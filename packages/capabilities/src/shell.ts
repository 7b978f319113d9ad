// Adding a name here makes it public API.
export { shell } from './shell/shell.js';

export type { ShellCapability, ShellOptions } from './shell/shell.js';
export type { ShellInput, ShellResult } from './shell/shell-input.js';
export type { ChildOptions } from './process/child-options.js';
export type { ResourceLimits } from './process/resource-limits.js';
export type { RunAs } from './process/run-process.js';
export type { ProgramResult } from './process/program-result.js';
