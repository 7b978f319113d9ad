import { z } from 'zod';

/** The version of swamp's remote execution that these messages are of. Another one is refused by equality. */
export const SWAMP_PROTOCOL_VERSION = 4;

/** What a runner asks of the control plane. */
export const SWAMP_METHODS = {
  enroll: 'worker.enroll',
  refresh: 'worker.session.refresh',
  drain: 'worker.drain',
  /** What the control plane asks of a runner. */
  dispatch: 'worker.dispatch',
} as const;

/** The type of model that runs a line for the shell, and its one method. */
export const SWAMP_SHELL = { modelType: 'command/shell', methodName: 'execute' } as const;

const id = z.string().min(1);

/** Every frame of the control socket: both sides ask, answer, stream and cancel in the same words. */
export const SwampFrame = z.discriminatedUnion('type', [
  z.object({ type: z.literal('rpc.request'), id, method: z.string().min(1), params: z.unknown() }),
  z.object({ type: z.literal('rpc.response'), id, result: z.unknown() }),
  z.object({
    type: z.literal('rpc.error'),
    id,
    error: z.object({ code: z.string(), message: z.string(), details: z.unknown().optional() }),
  }),
  z.object({ type: z.literal('rpc.stream'), id, event: z.looseObject({ kind: z.string() }) }),
  z.object({ type: z.literal('rpc.cancel'), id }),
]);
export type SwampFrame = z.infer<typeof SwampFrame>;

/** Parameters of `worker.enroll`. */
export const SwampEnroll = z.object({
  /** `<name>.<secret>`. */
  token: z.string().min(1),
  /** This process. */
  instanceUuid: z.string().min(1),
  /** This machine; the token is bound to it. */
  machineId: z.string().min(1),
  protocolVersion: z.number().int(),
  swampVersion: z.string(),
  platform: z.string(),
  arch: z.string(),
  labels: z.record(z.string(), z.string()).default({}),
  resourceLimits: z.record(z.string(), z.unknown()).optional(),
});
export type SwampEnroll = z.infer<typeof SwampEnroll>;

/** What a session is kept by; an enrollment and a refresh both bring it. */
export const SwampSession = z.object({
  /** For the data plane. */
  sessionCredential: z.string().min(1),
  /** Milliseconds since 1970. */
  sessionExpiresAtMs: z.number(),
});
export type SwampSession = z.infer<typeof SwampSession>;

/** What an enrollment is answered with. */
export const SwampEnrolled = SwampSession.extend({ workerId: z.string(), protocolVersion: z.number().int() });
export type SwampEnrolled = z.infer<typeof SwampEnrolled>;

/** One method of one model, as it is to be run. */
export const SwampExecution = z.object({
  protocolVersion: z.number().int(),
  modelType: z.string(),
  modelId: z.string(),
  methodName: z.string(),
  globalArgs: z.record(z.string(), z.unknown()),
  methodArgs: z.record(z.string(), z.unknown()),
  definitionMeta: z.object({
    id: z.string(),
    name: z.string(),
    version: z.number(),
    tags: z.record(z.string(), z.string()),
  }),
  resourceSpecs: z.record(z.string(), z.unknown()).optional(),
  fileSpecs: z.record(z.string(), z.unknown()).optional(),
  traceHeaders: z.record(z.string(), z.string()).optional(),
});
export type SwampExecution = z.infer<typeof SwampExecution>;

/** Parameters of `worker.dispatch`. */
export const SwampDispatch = z.object({
  dispatchId: z.string().min(1),
  leaseId: z.string().min(1),
  execution: SwampExecution,
  /** A SHA-256, or `builtin:<type>`. */
  bundleFingerprint: z.string().min(1),
  reportBundleFingerprints: z.array(z.string()).default([]),
  /** The variables of the control plane's own process. */
  environmentSnapshot: z.record(z.string(), z.string()),
  dataPlaneUrl: z.string().optional(),
  step: z
    .object({
      workflowName: z.string().optional(),
      jobName: z.string().optional(),
      stepName: z.string().optional(),
    })
    .optional(),
  probeMarker: z.string().optional(),
  /** To be hidden in whatever is printed. */
  secretValues: z.array(z.string()).optional(),
  /** For the data plane, for this dispatch alone. */
  dispatchCredential: z.string().optional(),
});
export type SwampDispatch = z.infer<typeof SwampDispatch>;

/** Arguments of the shell's method, the model's and the call's taken together. */
export const SwampShellArguments = z.object({
  run: z.string().min(1),
  workingDir: z.string().optional(),
  /** Milliseconds. */
  timeout: z.number().int().positive().optional(),
  env: z.record(z.string(), z.string()).optional(),
  ignoreExitCode: z.boolean().optional(),
});
export type SwampShellArguments = z.infer<typeof SwampShellArguments>;

/** A line of output, in an `rpc.stream`. */
export const SwampOutputEvent = z.object({
  kind: z.literal('method_event'),
  event: z.object({ type: z.literal('output'), line: z.string(), stream: z.enum(['stdout', 'stderr']) }),
});
export type SwampOutputEvent = z.infer<typeof SwampOutputEvent>;

/** What was written through the data plane. */
export const SwampHandle = z.object({
  dataId: z.string(),
  version: z.number(),
  name: z.string(),
  specName: z.string(),
});
export type SwampHandle = z.infer<typeof SwampHandle>;

/** What a dispatch is answered with. */
export const SwampResult = z.object({
  status: z.enum(['success', 'error']),
  error: z.string().optional(),
  outputs: z.array(SwampHandle.extend({ type: z.enum(['resource', 'file']) })),
  logs: z.array(z.string()),
  durationMs: z.number(),
  followUpActions: z.array(z.unknown()).optional(),
});
export type SwampResult = z.infer<typeof SwampResult>;

/** What a writer of a file is opened with. */
export const SwampWriter = z.object({ writerId: z.string().min(1), dataId: z.string() });
export type SwampWriter = z.infer<typeof SwampWriter>;
