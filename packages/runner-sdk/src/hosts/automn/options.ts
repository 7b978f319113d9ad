import { DurationMs } from '@controlplane/contracts';
import { AUTOMN_PATHS, AUTOMN_SECRET_LENGTH, type AutomnRun } from '@controlplane/contracts/automn';
import { join } from 'node:path';
import { z } from 'zod';
import { RunnerError } from '../../errors/runner-error.js';
import { resolveSettings, type Resolved, type Settings } from '../../util/setting.js';
import { credentialFrom, type CredentialSource } from '../credential-source.js';

/** What {@link automn} is told. What is left out comes from the environment of Automn's own runner, then from its default. */
export interface AutomnOptions {
  /** Base URL of the control plane. Environment: `AUTOMN_HOST_URL`, `AUTOMN_RUNNER_HOST_URL`. Required in one of them. */
  readonly hostUrl?: string | undefined;
  /** Id that the control plane knows the runner by. Environment: `AUTOMN_RUNNER_ID`. Required in one of them. */
  readonly runnerId?: string | undefined;
  /**
   * At least 12 characters. Environment: `AUTOMN_RUNNER_SECRET`, or the file that `AUTOMN_RUNNER_SECRET_FILE` names.
   * Default: what is entered at the runner's page, and kept in its state file.
   */
  readonly secret?: CredentialSource | undefined;
  /** Where the control plane posts jobs, whole. Environment: `AUTOMN_RUNNER_ENDPOINT_URL`. Default: public URL and path. */
  readonly endpointUrl?: string | undefined;
  /** Environment: `AUTOMN_RUNNER_PUBLIC_URL`. Default: the machine's name and the port. */
  readonly publicUrl?: string | undefined;
  /** Environment: `AUTOMN_RUNNER_ENDPOINT_PATH`. Default: `/api/run`, which is served in any case. */
  readonly endpointPath?: string | undefined;
  /** Address of this machine to listen at. Default: all. */
  readonly host?: string | undefined;
  /** Environment: `AUTOMN_RUNNER_PORT`, `PORT`. 0: any free one. Default: 3030. */
  readonly port?: number | undefined;
  /** Milliseconds between heartbeats. Environment: `AUTOMN_RUNNER_HEARTBEAT_MS`. Default: 60,000. */
  readonly heartbeatMs?: number | undefined;
  /** Environment: `AUTOMN_RUNNER_STATUS_MESSAGE`. Default: `Runner heartbeat`. */
  readonly statusMessage?: string | undefined;
  /** Jobs at once, as the control plane is told. Environment: `AUTOMN_RUNNER_MAX_CONCURRENCY`. Default: the runner's slots. */
  readonly maxConcurrency?: number | undefined;
  /** Jobs of this control plane at once; 0: the runner's slots. Environment: `AUTOMN_RUNNER_LOCAL_MAX_CONCURRENCY`. Default: 0. */
  readonly localMaxConcurrency?: number | undefined;
  /** Milliseconds of silence after which the control plane gives a job up. Environment: `AUTOMN_RUNNER_TIMEOUT_MS`. Default: 60,000. */
  readonly timeoutMs?: number | undefined;
  /**
   * Opens `POST /internal/reset` to whoever knows it. Environment: `AUTOMN_RUNNER_RESET_TOKEN`,
   * `AUTOMN_RUNNER_RESET_TOKEN_FILE`. Default: it is closed.
   */
  readonly resetToken?: CredentialSource | undefined;
  /**
   * File of the registration. Environment: `AUTOMN_RUNNER_STATE_FILE`, or `runner-state.json` in
   * `AUTOMN_RUNNER_STATE_DIR` or in `state` of `AUTOMN_RUNNER_DATA_DIR`. Default: one in the runner's state directory;
   * without any, a secret that is entered lives as long as the process.
   */
  readonly stateFile?: string | undefined;
  /** Versions by language (`node`, `python`, `shell`), for the control plane. Default: the runner's labels of these names. */
  readonly runtimes?: Readonly<Record<string, string>> | undefined;
  /** Id of the capability that runs the scripts. Default: `script.run`. */
  readonly capability?: string | undefined;
  /** What the capability is given. Default: what `script` of `@controlplane/capabilities` takes. */
  readonly payload?: ((run: AutomnRun) => Record<string, unknown>) | undefined;
}

const url = z.url({ protocol: /^https?$/ });
const text = z.string().min(1);

const SETTINGS = {
  hostUrl: { variables: ['AUTOMN_HOST_URL', 'AUTOMN_RUNNER_HOST_URL'], schema: url, fallback: undefined },
  runnerId: { variables: ['AUTOMN_RUNNER_ID'], schema: text, fallback: undefined },
  endpointUrl: { variables: ['AUTOMN_RUNNER_ENDPOINT_URL'], schema: url.optional(), fallback: undefined },
  publicUrl: { variables: ['AUTOMN_RUNNER_PUBLIC_URL'], schema: url.optional(), fallback: undefined },
  endpointPath: {
    variables: ['AUTOMN_RUNNER_ENDPOINT_PATH'],
    schema: text.transform((path) => (path.startsWith('/') ? path : `/${path}`)),
    fallback: AUTOMN_PATHS.run,
  },
  host: { variables: [], schema: text, fallback: '0.0.0.0' },
  port: {
    variables: ['AUTOMN_RUNNER_PORT', 'PORT'],
    schema: z.coerce.number().int().min(0).max(65_535),
    fallback: 3030,
  },
  heartbeatMs: {
    variables: ['AUTOMN_RUNNER_HEARTBEAT_MS'],
    schema: z.coerce.number().pipe(DurationMs),
    fallback: 60_000,
  },
  statusMessage: {
    variables: ['AUTOMN_RUNNER_STATUS_MESSAGE'],
    schema: text.max(1_000),
    fallback: 'Runner heartbeat',
  },
  maxConcurrency: {
    variables: ['AUTOMN_RUNNER_MAX_CONCURRENCY'],
    schema: z.coerce.number().int().positive().optional(),
    fallback: undefined,
  },
  localMaxConcurrency: {
    variables: ['AUTOMN_RUNNER_LOCAL_MAX_CONCURRENCY'],
    schema: z.coerce.number().int().nonnegative(),
    fallback: 0,
  },
  timeoutMs: {
    variables: ['AUTOMN_RUNNER_TIMEOUT_MS'],
    schema: z.coerce.number().pipe(DurationMs).optional(),
    fallback: undefined,
  },
} as const satisfies Partial<Settings<keyof AutomnOptions>>;

/** Options with every default filled. */
export type ResolvedAutomnOptions = Resolved<typeof SETTINGS> &
  Pick<AutomnOptions, 'capability' | 'payload' | 'runtimes' | 'secret' | 'resetToken' | 'stateFile'> & {
    /** Where scripts work, as the environment says: for `GET /status` alone. */
    readonly scriptsDir: string | null;
    readonly workdirDir: string | null;
  };

function stateFileOf(environment: NodeJS.ProcessEnv): string | undefined {
  const {
    AUTOMN_RUNNER_STATE_FILE: file,
    AUTOMN_RUNNER_STATE_DIR: folder,
    AUTOMN_RUNNER_DATA_DIR: data,
  } = environment;
  if (file) return file;
  if (folder) return join(folder, 'runner-state.json');
  return data ? join(data, 'state', 'runner-state.json') : undefined;
}

/** They would be in the log and on the page. Refused without being shown. */
function checkNoCredentials(urls: Readonly<Record<string, string | undefined>>): void {
  const named = Object.entries(urls).find(([, one]) => {
    const { username, password } = new URL(one ?? 'http://none');
    return username !== '' || password !== '';
  });
  if (named)
    throw new RunnerError(
      'INVALID_OPTION',
      `option "${named[0]}" has a user name or a password in its URL, which the protocol of Automn has no place for: leave it out`,
    );
}

/** A secret that the control plane would refuse is refused here, without being shown. */
function checkLength(secret: CredentialSource | undefined): void {
  if (typeof secret !== 'string' || secret.trim().length >= AUTOMN_SECRET_LENGTH) return;
  throw new RunnerError(
    'INVALID_OPTION',
    `option "secret" (environment variable AUTOMN_RUNNER_SECRET) has ${secret.trim().length} characters, and Automn takes none with less than ${AUTOMN_SECRET_LENGTH}`,
  );
}

/**
 * Fills in what the options leave out.
 * @param environment - default: `process.env`
 * @throws RunnerError `INVALID_OPTION`
 */
export function resolveAutomnOptions(
  options: AutomnOptions,
  environment: NodeJS.ProcessEnv = process.env,
): ResolvedAutomnOptions {
  const { capability, payload, runtimes } = options;
  const secret = options.secret ?? credentialFrom(environment, 'AUTOMN_RUNNER_SECRET');
  checkLength(secret);
  const settings = resolveSettings(SETTINGS, options, environment);
  const { hostUrl, endpointUrl, publicUrl } = settings;
  checkNoCredentials({ hostUrl, endpointUrl, publicUrl });
  const data = environment['AUTOMN_RUNNER_DATA_DIR'];
  const within = (folder: string): string | null => (data ? join(data, folder) : null);
  return {
    ...settings,
    capability,
    payload,
    runtimes,
    secret,
    resetToken: options.resetToken ?? credentialFrom(environment, 'AUTOMN_RUNNER_RESET_TOKEN'),
    stateFile: options.stateFile ?? stateFileOf(environment),
    scriptsDir: environment['AUTOMN_RUNNER_SCRIPTS_DIR'] || within('scripts'),
    workdirDir: environment['AUTOMN_RUNNER_WORKDIR'] || within('script_workdir'),
  };
}

/** Where the control plane posts jobs, as it is told. */
export function endpointOf(options: ResolvedAutomnOptions, fallbackOrigin: string): string {
  const { endpointUrl, publicUrl, endpointPath } = options;
  const whole = new URL(endpointUrl ?? publicUrl ?? fallbackOrigin);
  if (endpointUrl === undefined || whole.pathname === '/') whole.pathname = endpointPath;
  return whole.href;
}
