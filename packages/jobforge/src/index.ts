// Adding a name here makes it public API.
export { createJobForge } from './control-plane.js';
export { isJobForgeError, JobForgeError } from './model/job-forge-error.js';

export type { JobForge, StoppedJobForge } from './control-plane.js';
export type { FileContent, FilesInput, TypedFile } from './embedded/bring-files.js';
export type { JobHandle, JobInput } from './embedded/job-handle.js';
export type { DoorName } from './doors/door.js';
export type { AuthOptions } from './access/auth-options.js';
export type { Clock } from './model/clock.js';
export type { JobForgeLimits } from './model/limits.js';
export type { Log, LogSeverity } from './model/log.js';
export type { JobEventsOptions, Operations, Submitted } from './model/operations.js';
export type { JobForgeOptions, ListenOptions, RetentionOptions, TlsOptions } from './options.js';
