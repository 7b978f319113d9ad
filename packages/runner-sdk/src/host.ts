// Adding a name here makes it public API.
export { controlPlane } from './hosts/control-plane/control-plane.js';

export type {
  CancelAnswer,
  Host,
  HostedRunner,
  HostSession,
  HostState,
  HostStatus,
  PushSide,
  RequestHeaders,
  Run,
  RunnerDescription,
  StandIn,
  StandInBeat,
} from './hosts/host.js';
export type { ControlPlaneOptions, DeliveryKind } from './hosts/control-plane/control-plane.js';
export type { CredentialSource } from './hosts/credential-source.js';
export type { StateFiles } from './hosts/state-files.js';
export type {
  EventSink,
  Execute,
  ExecutionRequest,
  FileCarrier,
  LeftFile,
  RunOptions,
  Subscription,
} from './execution/execute.js';
export type { Clock, TimerHandle } from './util/clock.js';
export type { Logger, LoggerLevel, LogMethod } from './util/logger.js';
