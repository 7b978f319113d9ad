import { isLoopback } from '../api/loopback.js';
import { failed, ok, skipped, warning, type DoctorCheck } from './doctor-check.js';
import type { MachineFacts } from './machine-facts.js';

const MIB = 1024 * 1024;
/** A store grows by what is submitted: below this it is a matter of hours, below the other of minutes. */
const LOW_BYTES = 1024 * MIB;
const FULL_BYTES = 100 * MIB;

function sizeOf(bytes: number): string {
  return bytes >= 1024 * MIB ? `${(bytes / 1024 / MIB).toFixed(1)} GB` : `${Math.round(bytes / MIB)} MB`;
}

/** Looks at the folder of the store. */
export async function checkFolder(
  facts: MachineFacts,
  { path, named }: { readonly path: string; readonly named: boolean },
): Promise<DoctorCheck[]> {
  const found = await facts.folder(path);
  if (found === undefined) {
    const words = `there is no folder ${path} here`;
    return [
      named
        ? failed('data', words, `Create it, or name the one that JobForge was started with: --data DIR.`)
        : skipped('data', `${words}; name the one that JobForge was started with: --data DIR`),
    ];
  }
  const free = `${sizeOf(found.freeBytes)} free in ${path}`;
  const remedy = 'Make room, or keep less: see `retention` in the README of @controlplane/jobforge.';
  const disk =
    found.freeBytes < FULL_BYTES
      ? failed('disk', free, remedy)
      : found.freeBytes < LOW_BYTES
        ? warning('disk', free, remedy)
        : ok('disk', free);
  if (!found.writable)
    return [
      failed('data', `${path} cannot be written by this user`, `Run \`chown\` or \`chmod u+w ${path}\`.`),
      disk,
    ];
  if (found.hasModes && (found.mode & 0o077) !== 0) {
    const mode = found.mode.toString(8).padStart(3, '0');
    const words = `other users of this machine can read ${path} (mode ${mode})`;
    return [warning('data', words, `Run \`chmod 700 ${path}\`: jobs and credentials are in it.`), disk];
  }
  return [ok('data', `${path} belongs to this user alone`), disk];
}

/** Where nobody answers: says whether the port is free, or somebody else's. */
export async function checkPort(facts: MachineFacts, url: string): Promise<DoctorCheck> {
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  if (!isLoopback(host)) return skipped('port', `${hostname} is another machine`);
  const number = Number(port || (protocol === 'https:' ? 443 : 80));
  return (await facts.isTaken({ host, port: number }))
    ? failed(
        'port',
        `something else listens on port ${number}`,
        `Stop it (\`ss -ltnp sport = :${number}\` names it), or start JobForge with another --port.`,
      )
    : ok('port', `port ${number} is free`);
}
