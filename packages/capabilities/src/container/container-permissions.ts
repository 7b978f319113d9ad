import { realpathSync } from 'node:fs';
import { isAbsolute, relative, sep } from 'node:path';
import { CapabilityError, RunnerError } from '@controlplane/runner-sdk';
import type { ContainerInput, ContainerLimits, ContainerMount } from './container-input.js';

/** What containers may be made of; nothing that is not named is allowed. */
export interface ContainerPermissions {
  /** Patterns of image references, in which `*` stands for any text: `ghcr.io/acme/*`. */
  readonly images: readonly string[];
  /** Networks that a job may name; the first is the default. Default: `none` alone. */
  readonly networks?: readonly string[] | undefined;
  /** Folders of this machine that a job may mount, or folders below them. Default: none. */
  readonly mounts?:
    | ReadonlyArray<{ readonly source: string; readonly writable?: boolean | undefined }>
    | undefined;
  /** The most that a container may use. Default: no limit. */
  readonly limits?: ContainerLimits | undefined;
}

/** A job's wishes, after they were allowed. */
export interface AllowedContainer {
  readonly network: string;
  readonly mounts: readonly ContainerMount[];
  readonly limits: ContainerLimits;
}

const refused = (what: string, remedy: string): CapabilityError =>
  new CapabilityError('CONTAINER_NOT_ALLOWED', `${what} is not allowed by this runner`, {
    retryable: false,
    category: 'AUTHORIZATION_ERROR',
    remedy,
  });

function matcher(pattern: string): RegExp {
  const literal = pattern.split('*').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`));
  return new RegExp(`^${literal.join('.*')}$`);
}

const isWithin = (path: string, folder: string): boolean => {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
};

const least = (...values: ReadonlyArray<number | undefined>): number | undefined => {
  const given = values.filter((value) => value !== undefined);
  return given.length === 0 ? undefined : Math.min(...given);
};

function real(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/**
 * Makes what judges the wishes of jobs.
 * @returns throws a CapabilityError `CONTAINER_NOT_ALLOWED` for what is not allowed
 * @throws RunnerError `INVALID_OPTION`
 */
export function createPermissions(
  permissions: ContainerPermissions,
): (input: ContainerInput) => AllowedContainer {
  const { networks = ['none'], limits = {} } = permissions;
  const images = permissions.images.map(matcher);
  const folders = (permissions.mounts ?? []).map(({ source, writable = false }) => {
    const folder = real(source);
    if (folder === undefined) throw new RunnerError('INVALID_OPTION', `mounts: ${source} is not there`);
    return { folder, writable };
  });
  if (images.length === 0)
    throw new RunnerError(
      'INVALID_OPTION',
      'images is empty: name what may run, such as ["docker.io/library/*"], or ["*"]',
    );
  const [defaultNetwork] = networks;
  if (defaultNetwork === undefined)
    throw new RunnerError('INVALID_OPTION', 'networks is empty; name "none" at least');

  const mountOf = ({ source, target, readonly = true }: ContainerMount): ContainerMount => {
    const found = real(source);
    const allowed =
      found !== undefined &&
      folders.some(({ folder, writable }) => isWithin(found, folder) && (readonly || writable));
    if (!allowed)
      throw refused(
        `mounting ${source}${readonly ? '' : ' for writing'}`,
        'Name a folder that the capability allows in `mounts`.',
      );
    return { source: found, target, readonly };
  };
  return (input) => {
    const { image, network = defaultNetwork, mounts = [] } = input;
    if (!images.some((pattern) => pattern.test(image)))
      throw refused(`the image ${image}`, `This runner runs ${permissions.images.join(', ')}.`);
    if (!networks.includes(network))
      throw refused(`the network ${JSON.stringify(network)}`, `This runner has ${networks.join(', ')}.`);
    return {
      network,
      mounts: mounts.map(mountOf),
      limits: {
        memoryBytes: least(limits.memoryBytes, input.limits?.memoryBytes),
        cpus: least(limits.cpus, input.limits?.cpus),
        processes: least(limits.processes, input.limits?.processes),
      },
    };
  };
}
