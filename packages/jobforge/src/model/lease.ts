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

/** Writes a lease as the store keeps it. Ids and tokens are of a set of characters that needs no escaping. */
export function leaseToText({
  executionId,
  token,
  runnerId,
  capabilityId,
  instanceId,
  writes,
  since,
}: Lease): string {
  return (
    `{"e":"${executionId}","t":"${token}","r":"${runnerId}","c":"${capabilityId}"` +
    (instanceId === undefined ? '' : `,"i":"${instanceId}"`) +
    (writes ? ',"w":1' : '') +
    (since === undefined ? '}' : `,"s":${since}}`)
  );
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
