/**
 * @module
 * Scripts as a capability: interpreters, the channel by which a script speaks to its job, dependencies, and the folder
 * that it works in. Imports the process room, the SDK's public entry and zod.
 */

/** Languages that scripts are written in. */
export const SCRIPT_LANGUAGES = ['node', 'python', 'bash'] as const;

/** A language that scripts are written in. */
export type ScriptLanguage = (typeof SCRIPT_LANGUAGES)[number];
