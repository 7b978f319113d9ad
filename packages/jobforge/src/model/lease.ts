/** Whose execution a job is: what must survive a restart to find the execution again. */
export interface Lease {
  readonly executionId: string;
  /** Known to JobForge and the runner that holds the execution, to nobody else. */
  readonly token: string;
  readonly runnerId: string;
  /** The runner's process, where it names itself. */
  readonly instanceId: string | undefined;
  readonly capabilityId: string;
  /** The capability must not be repeated. */
  readonly writes: boolean;
  /** When it was given out; kept where others than its JobForge are to tell of it. */
  readonly since?: number | undefined;
}

interface LeaseText {
  e: string;
  t: string;
  r: string;
  i?: string;
  c: string;
  w?: 1;
  s?: number;
}

/** Writes a lease as the store keeps it. */
export function leaseToText(lease: Lease): string {
  const text: LeaseText = { e: lease.executionId, t: lease.token, r: lease.runnerId, c: lease.capabilityId };
  if (lease.instanceId !== undefined) text.i = lease.instanceId;
  if (lease.writes) text.w = 1;
  if (lease.since !== undefined) text.s = lease.since;
  return JSON.stringify(text);
}

/** Reads what {@link leaseToText} wrote. */
export function leaseFromText(text: string): Lease {
  const { e, t, r, i, c, w, s } = JSON.parse(text) as LeaseText;
  return {
    executionId: e,
    token: t,
    runnerId: r,
    instanceId: i,
    capabilityId: c,
    writes: w === 1,
    ...(s !== undefined && { since: s }),
  };
}
