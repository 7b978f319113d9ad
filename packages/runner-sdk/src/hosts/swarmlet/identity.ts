import {
  SWARMLET_PATHS,
  SwarmletRegisterResponse,
  type SwarmletMetadata,
  type SwarmletRegisterRequest,
} from '@controlplane/contracts/swarmlet';
import { z } from 'zod';
import { createHttpClient } from '../../transport/http-client.js';
import { sayThrown } from '../../util/safe-json.js';
import { readSource, type CredentialSource } from '../credential-source.js';
import type { HostedRunner } from '../host.js';
import { unreachable, type Answer } from '../refusals.js';
import { fileNameOf } from '../state-files.js';
import type { ResolvedSwarmletOptions } from './options.js';
import { refusalOfEnrollment } from './refusals.js';

/** Whom the control plane knows the runner as, and what proves it. */
export interface Identity {
  readonly runnerId: number | undefined;
  readonly runnerName: string | undefined;
  /** Read anew for each connection. */
  readonly secret: CredentialSource;
  /** It is of an enrollment, which another can replace. */
  readonly isKept: boolean;
}

/** Milliseconds for the enrollment, its answer included. */
const REQUEST_MS = 10_000;

const Kept = z.object({ runnerId: z.number().int(), secret: z.string().min(1) });

/** What an error of theirs says, wherever they put it. */
const Refused = z.object({ detail: z.unknown().optional(), error: z.unknown().optional() });

const fileOf = (url: string): string => `swarmlet/${fileNameOf(url)}`;

/** The base URL as `http` or as `ws`; Swarmlet takes either for both. */
export const baseUrl = (url: string, scheme: 'http' | 'ws'): string =>
  url.replace(/\/+$/, '').replace(/^(http|ws)(?=s?:)/, scheme);

async function keptIdentity(runner: HostedRunner, url: string): Promise<Identity | undefined> {
  try {
    const text = await runner.state?.read(fileOf(url));
    return text === undefined
      ? undefined
      : { ...Kept.parse(JSON.parse(text)), runnerName: undefined, isKept: true };
  } catch (error) {
    runner.logger.warn(`the enrollment kept in the state directory cannot be used: ${sayThrown(error)}`);
    return undefined;
  }
}

async function keep(runner: HostedRunner, url: string, kept: z.infer<typeof Kept>): Promise<void> {
  const lost = 'the enrollment is not kept: after a restart this runner needs another enrollment token';
  if (!runner.state) return runner.logger.warn(`${lost}; set option "stateDirectory" or RUNNER_STATE_DIR`);
  await runner.state
    .write(fileOf(url), JSON.stringify(kept))
    .catch((error: unknown) => runner.logger.error(`${lost}: ${sayThrown(error)}`));
}

/** Takes away what an earlier enrollment left. Never rejects. */
export async function forgetIdentity(runner: HostedRunner, url: string): Promise<void> {
  await runner.state
    ?.remove(fileOf(url))
    .catch((error: unknown) =>
      runner.logger.error(
        `the enrollment kept in the state directory is not taken any more, and cannot be removed: ${sayThrown(error)}`,
      ),
    );
}

/** The identity that there is without asking anybody: as given, else of an earlier enrollment. */
export async function knownIdentity(
  runner: HostedRunner,
  options: ResolvedSwarmletOptions,
): Promise<Identity | undefined> {
  const { secret, runnerId, url } = options;
  if (secret === undefined) return keptIdentity(runner, url);
  const runnerName = options.runnerName ?? (runnerId === undefined ? runner.manifest.name : undefined);
  return { runnerId, runnerName, secret, isKept: false };
}

async function detailOf(response: Response): Promise<string> {
  const body = Refused.safeParse(await response.json().catch(() => undefined)).data;
  const said = body?.detail ?? body?.error;
  return typeof said === 'string' ? said : JSON.stringify(said ?? 'nothing');
}

/** Exchanges the enrollment token for an identity, and keeps that. Never rejects. */
export async function enroll(
  runner: HostedRunner,
  options: ResolvedSwarmletOptions,
  metadata: SwarmletMetadata,
): Promise<Answer<Identity>> {
  const { url, enrollToken } = options;
  const http = createHttpClient({
    baseUrl: baseUrl(url, 'http'),
    timeoutMs: REQUEST_MS,
    fetch: runner.fetch,
  });
  try {
    const body: SwarmletRegisterRequest = {
      enroll_token: (await readSource(enrollToken, 'enrollToken')) ?? '',
      name: options.runnerName ?? runner.manifest.name,
      labels: { ...runner.describe().labels },
      capabilities: metadata.capabilities ?? [],
      metadata,
    };
    const response = await http(SWARMLET_PATHS.register, { method: 'POST', json: body });
    if (!response.ok) return refusalOfEnrollment(response.status, await detailOf(response));
    const { runner_id: runnerId, runner_secret: secret } = SwarmletRegisterResponse.parse(
      await response.json(),
    );
    await keep(runner, url, { runnerId, secret });
    return { ok: true, value: { runnerId, runnerName: undefined, secret, isKept: true } };
  } catch (error) {
    return unreachable(error);
  }
}
