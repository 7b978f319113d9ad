import { createHash } from 'node:crypto';
import { CONTRACT_VERSION_CURRENT, type RunnerMetadata } from '@controlplane/contracts';
import type { SwarmletMetadata, SwarmletRegisterRequest } from '@controlplane/contracts/swarmlet';
import { asIdentifier } from '../as-identifier.js';
import type { Announcement } from '../foreign-side.js';
import { shellCapability, type ShellDialect } from '../shell-capability.js';

/** Swarmlet gives a runner one command at a time: theirs count none. */
const SLOTS = 1;

/** The number that a runner is known by where its protocol has numbers for ids. */
export function numberOf(runnerId: string): number {
  return createHash('sha256').update(runnerId).digest().readUInt32BE(0) >>> 1;
}

/** What a runner says of its machine, as far as it does. */
type Metadata = { readonly [Key in keyof SwarmletMetadata]?: SwarmletMetadata[Key] | undefined };

/** What a runner is allowed to run, as it says. The first versions said nothing, and ran whatever came. */
export function dialectOf({ capabilities, platform }: Metadata): ShellDialect {
  if (capabilities !== undefined && !capabilities.includes('exec.full')) return 'readonly';
  return platform === 'win32' ? 'line' : 'posix';
}

interface Said {
  readonly name: string;
  readonly metadata: Metadata;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** As it is known; by what it says where it is not. */
  readonly machineId?: string | undefined;
}

function announcementOf({ name, metadata, labels = {}, machineId }: Said): Announcement {
  const { hostname, platform, arch, runner_version: version = '0.0.0' } = metadata;
  const tags = metadata.docker_available ? ['swarmlet', 'docker'] : ['swarmlet'];
  return {
    ...{ name: name.slice(0, 128), version, contractVersion: CONTRACT_VERSION_CURRENT },
    ...{ labels, tags, maxConcurrency: SLOTS },
    capabilities: [shellCapability(dialectOf(metadata), SLOTS)],
    machineId: machineId ?? asIdentifier(`swarmlet:${hostname ?? name}`),
    ...(platform !== undefined && arch !== undefined && { platform: { os: platform, arch } }),
    delivery: { kind: 'websocket' },
  };
}

/** What Swarmlet lets a runner do that has not said what it can. */
const LEAST = ['exec.readonly'];

/** What an enrollment says that its runner can do. */
export const capabilitiesOf = ({ capabilities, metadata }: SwarmletRegisterRequest): readonly string[] =>
  capabilities ?? metadata?.capabilities ?? LEAST;

/**
 * A runner that enrolls: it has no socket yet, and is registered as one that will come for its work. More than it says
 * here it is given when it says so in its hello.
 */
export function enrolling(request: SwarmletRegisterRequest, name: string): Announcement {
  const { labels } = request;
  const metadata = { ...request.metadata, capabilities: [...capabilitiesOf(request)] };
  return { ...announcementOf({ name, metadata, labels }), delivery: { kind: 'long-poll' } };
}

/** A runner that says hello, and what is known of it already. */
export function greeting(
  metadata: SwarmletMetadata,
  name: string | undefined,
  known: RunnerMetadata | undefined,
): Announcement {
  return announcementOf({
    name: known?.name ?? name ?? metadata.hostname,
    metadata,
    labels: known?.labels,
    machineId: known?.machineId,
  });
}
