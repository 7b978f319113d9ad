// Adding a name here makes it public API.
export { container } from './container/container.js';
export { findEngine } from './container/engine.js';

export type {
  ContainerArtifact,
  ContainerFile,
  ContainerInput,
  ContainerLimits,
  ContainerMount,
  ContainerResult,
} from './container/container-input.js';
export type { ContainerPermissions } from './container/container-permissions.js';
export type { ContainerCapability, ContainerOptions } from './container/container.js';
export type { Engine } from './container/engine.js';
export type { ProgramResult } from './process/program-result.js';
