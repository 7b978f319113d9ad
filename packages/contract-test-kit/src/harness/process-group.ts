import { readdirSync, readFileSync } from 'node:fs';

const KIB = 1024;

interface Member {
  readonly residentBytes: number;
}

/** State and group of a process, from its line in /proc; the name in it may hold spaces and brackets. */
function placeOf(stat: string): { readonly state: string; readonly group: number } {
  const [state = '', , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state, group: Number(group) };
}

function memberOf(pid: string, group: number): Member[] {
  try {
    const place = placeOf(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    // What has ended and was not asked for its code yet is no process any more.
    if (place.group !== group || place.state === 'Z') return [];
    const [, kib = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return [{ residentBytes: Number(kib) * KIB }];
  } catch {
    // It has ended between the list and the look.
    return [];
  }
}

/** The processes of a group; undefined where the system has no /proc to find them in. */
function membersOf(group: number): readonly Member[] | undefined {
  try {
    const names = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return names.length === 0 ? undefined : names.flatMap((pid) => memberOf(pid, group));
  } catch {
    return undefined;
  }
}

/** Whether a process of the group goes on. */
export function isGroupAlive(group: number): boolean {
  const members = membersOf(group);
  if (members) return members.length > 0;
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}

/** Bytes of memory that all processes of a group hold; undefined where that cannot be read. */
export function residentBytesOf(group: number): number | undefined {
  const bytes = membersOf(group)?.reduce((sum, member) => sum + member.residentBytes, 0);
  return bytes === 0 ? undefined : bytes;
}
