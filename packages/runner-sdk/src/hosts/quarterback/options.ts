import { DurationMs } from '@controlplane/contracts';
import { z } from 'zod';
import { resolveSettings, type Resolved, type Settings } from '../../util/setting.js';
import { credentialFrom, type CredentialSource } from '../credential-source.js';

/** A piece of work, as a {@link QuarterbackOptions.payload} is given it. */
export interface QuarterbackWork {
  readonly taskId: string;
  readonly prompt: string;
  /** Files that came with it, whose checksums were right; `content` is base64. */
  readonly files: ReadonlyArray<{
    readonly name: string;
    readonly content: string;
    readonly encoding: 'base64';
  }>;
}

/** What {@link quarterback} is told. What is left out comes from the environment, then from its default. */
export interface QuarterbackOptions {
  /** Base URL of the control plane. Environment: `QUARTERBACK_URL`, `ORCHESTRATOR_URL`. Default: `http://localhost:8000`. */
  readonly url?: string | undefined;
  /**
   * Exchanged for an id and its API key. Both are kept in the runner's state directory, without which each start is a
   * registration of its own. Environment: `REGISTRATION_TOKEN`, `REGISTRATION_TOKEN_FILE`.
   */
  readonly registrationToken?: CredentialSource | undefined;
  /** What tasks are aimed at, by a pattern. Environment: `NODE_NAME`. Default: the runner's. */
  readonly nodeName?: string | undefined;
  /** Milliseconds before the next question where there was nothing to do. Environment: `POLL_INTERVAL`, in seconds. Default: 30,000. */
  readonly pollIntervalMs?: number | undefined;
  /** Default: 30,000. */
  readonly heartbeatIntervalMs?: number | undefined;
  /** Milliseconds between two reports of a task that runs, each with what it printed last. Default: 10,000. */
  readonly reportIntervalMs?: number | undefined;
  /** What tasks run in. Environment: `CONTAINER_IMAGE`. Default: `ghcr.io/elcanotek/victoria-terminal:latest`. */
  readonly image?: string | undefined;
  /**
   * Folder of this machine that every task sees as `/workspace/Victoria`, and may write; the capability must allow it.
   * Environment: `VICTORIA_HOME`. Default: none.
   */
  readonly home?: string | undefined;
  /** Bytes of all files of one task. Default: 32 MB. */
  readonly maxFileBytes?: number | undefined;
  /** Id of the capability that runs the tasks. Default: `container.run`. */
  readonly capability?: string | undefined;
  /** What the capability is given. Default: what `container` of `@controlplane/capabilities` takes. */
  readonly payload?: ((work: QuarterbackWork) => Record<string, unknown>) | undefined;
}

/** What tasks run in where nobody says otherwise. */
export const QUARTERBACK_IMAGE = 'ghcr.io/elcanotek/victoria-terminal:latest';

const url = z.url({ protocol: /^https?$/ });
const secondsToMs = (text: string): number => Number(text) * 1_000;
const text = z.string().min(1);

const SETTINGS = {
  url: { variables: ['QUARTERBACK_URL', 'ORCHESTRATOR_URL'], schema: url, fallback: 'http://localhost:8000' },
  nodeName: { variables: ['NODE_NAME'], schema: text.optional(), fallback: undefined },
  pollIntervalMs: {
    variables: ['POLL_INTERVAL'],
    schema: DurationMs,
    fallback: 30_000,
    split: secondsToMs,
  },
  heartbeatIntervalMs: { variables: [], schema: DurationMs, fallback: 30_000 },
  reportIntervalMs: { variables: [], schema: DurationMs, fallback: 10_000 },
  image: {
    variables: ['CONTAINER_IMAGE'],
    schema: text,
    fallback: QUARTERBACK_IMAGE,
  },
  home: { variables: ['VICTORIA_HOME'], schema: text.optional(), fallback: undefined },
  maxFileBytes: { variables: [], schema: z.int().positive(), fallback: 32 * 1024 * 1024 },
  capability: { variables: [], schema: text, fallback: 'container.run' },
} as const satisfies Partial<Settings<keyof QuarterbackOptions>>;

/** Options with every default filled. */
export type ResolvedQuarterbackOptions = Resolved<typeof SETTINGS> &
  Pick<QuarterbackOptions, 'payload'> & { readonly registrationToken: CredentialSource | undefined };

/**
 * Fills in what the options leave out.
 * @param environment - default: `process.env`
 * @throws RunnerError `INVALID_OPTION`
 */
export function resolveQuarterbackOptions(
  options: QuarterbackOptions,
  environment: NodeJS.ProcessEnv = process.env,
): ResolvedQuarterbackOptions {
  return {
    ...resolveSettings(SETTINGS, options, environment),
    payload: options.payload,
    registrationToken: options.registrationToken ?? credentialFrom(environment, 'REGISTRATION_TOKEN'),
  };
}
