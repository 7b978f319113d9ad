import { createHash, timingSafeEqual } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { z } from 'zod';
import { FILE_MODE } from '../../util/private-files.js';
import { sayThrown } from '../../util/safe-json.js';
import type { HostedRunner } from '../host.js';
import { createStateFiles, fileNameOf, type StateFiles } from '../state-files.js';
import type { ResolvedAutomnOptions } from './options.js';

const text = z.string().nullish();

/** What outlives the process, in the words of Automn's own runner, whose file is taken over as it is. */
const Kept = z.object({
  secret: text,
  /** Digest of the configured secret that a reset has replaced. */
  replaces: text,
  lockedAt: text,
  registeredAt: text,
  hostUrl: text,
  runnerId: text,
  lastRegistrationStatus: z.enum(['ok', 'error', 'network-error']).nullish(),
  lastRegistrationResponse: z.unknown().optional(),
  lastRegistrationAttempt: text,
  lastRegistrationError: text,
  endpointUrl: text,
});
export type Kept = z.infer<typeof Kept>;

/** Where it is kept. */
export interface KeptState {
  /** Empty where there is nothing, or what there is belongs to another runner or control plane. Never rejects. */
  read(): Promise<Kept>;
  /** Never rejects; a failure is logged. */
  write(kept: Kept): Promise<void>;
  /** Whether anything outlives the process. */
  readonly isKept: boolean;
}

/** A secret as it may be compared, and kept where the secret itself must not be. */
export const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** Compares in a time that says nothing of either. */
export const isSame = (one: string, other: string): boolean =>
  timingSafeEqual(Buffer.from(digestOf(one)), Buffer.from(digestOf(other)));

/** A URL without what it may end in or not. */
const bare = (url: string): string => url.replace(/\/+$/, '');

function placeOf(
  runner: HostedRunner,
  { stateFile, hostUrl, runnerId }: ResolvedAutomnOptions,
): { readonly files: StateFiles; readonly name: string } | undefined {
  if (stateFile !== undefined)
    return { files: createStateFiles(dirname(stateFile)), name: basename(stateFile) };
  return (
    runner.state && { files: runner.state, name: `automn/${fileNameOf(`${bare(hostUrl)}#${runnerId}`)}` }
  );
}

/** Opens what the runner keeps of its registration. */
export function createKeptState(runner: HostedRunner, options: ResolvedAutomnOptions): KeptState {
  const { hostUrl, runnerId, stateFile } = options;
  const place = placeOf(runner, options);
  let writing: Promise<void> = Promise.resolve();
  /** Automn's own runner leaves the secret readable for everybody. */
  async function hide(file: string): Promise<void> {
    await chmod(file, FILE_MODE).catch((error: unknown) =>
      runner.logger.warn(`${file} may be readable for others: ${sayThrown(error)}`),
    );
  }
  async function read(): Promise<Kept> {
    const found = await place?.files.read(place.name);
    if (!found) return Kept.parse({});
    if (stateFile !== undefined) await hide(stateFile);
    const kept = Kept.parse(JSON.parse(found));
    const isOurs =
      bare(kept.hostUrl ?? hostUrl) === bare(hostUrl) && (kept.runnerId ?? runnerId) === runnerId;
    if (isOurs) return kept;
    runner.logger.warn(
      { hostUrl: kept.hostUrl, runnerId: kept.runnerId },
      'the kept registration is of another runner or control plane: it is not used, and the next one takes its place',
    );
    return Kept.parse({});
  }
  return {
    isKept: place !== undefined,
    read: () =>
      read().catch((error: unknown) => {
        runner.logger.warn(`the kept registration cannot be used: ${sayThrown(error)}`);
        return Kept.parse({});
      }),
    write(kept) {
      const json = JSON.stringify(kept, undefined, 2);
      writing = writing
        .then(() => place?.files.write(place.name, json))
        .catch((error: unknown) => {
          runner.logger.error(`the registration cannot be kept: ${sayThrown(error)}`);
        });
      return writing;
    },
  };
}
