/**
 * @module
 * Scripts as a capability: interpreters, the channel by which a script speaks to its job, dependencies, and the folder
 * that it works in. Imports the process room, the SDK's public entry and zod.
 */

/** Languages that scripts are written in. */
export const SCRIPT_LANGUAGES = ['node', 'python', 'bash', 'powershell'] as const;

/** A language that scripts are written in. */
export type ScriptLanguage = (typeof SCRIPT_LANGUAGES)[number];

/** PowerShell without banner, profiles and questions. */
export const POWERSHELL_FLAGS = ['-NoLogo', '-NoProfile', '-NonInteractive'] as const;

/** PowerShell without telemetry and a look for updates; harmless to every other program. */
export const POWERSHELL_QUIET = { POWERSHELL_TELEMETRY_OPTOUT: '1', POWERSHELL_UPDATECHECK: 'Off' } as const;
