// Adding a name here makes it public API.
export { findInterpreters } from './script/interpreters.js';
export { script } from './script/script.js';

export type { FindInterpretersOptions, Interpreter, Interpreters } from './script/interpreters.js';
export type { ScriptInput, ScriptMessage, ScriptResult } from './script/script-input.js';
export type { ScriptLanguage } from './script/script-languages.js';
export type { ScriptCapability, ScriptOptions } from './script/script.js';
export type { ChildOptions } from './process/child-options.js';
export type { ResourceLimits } from './process/resource-limits.js';
export type { RunAs } from './process/run-process.js';
export type { ProgramResult } from './process/program-result.js';
