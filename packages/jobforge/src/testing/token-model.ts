/** What a credential may be refused with. */
export type Refusal = 'TOKEN_REVOKED' | 'TOKEN_EXPIRED' | 'MACHINE_MISMATCH' | 'CREDENTIAL_INVALID';

/** An enrollment token as whoever made it knows it. */
export interface ModelToken {
  readonly name: string;
  readonly text: string;
  readonly expiresAt: number;
  readonly maxMachines: number | null;
  readonly durable: boolean;
  readonly machines: Set<string>;
  revoked: boolean;
}

export interface ModelSecret {
  readonly text: string;
  until: number;
  readonly renewed: boolean;
}

/** A runner as whoever looks after it knows it. */
export interface ModelRunner {
  readonly machine: string;
  by: ModelToken;
  revoked: boolean;
  /** Those that may be good still; all others are in `former`. */
  secrets: ModelSecret[];
  readonly former: string[];
}

const FOR_EVER = Number.POSITIVE_INFINITY;
const OVERLAP_MS = 3_600_000;
const MAX_SECRETS = 4;

/** Where a token stands: forward alone, `unused` to `enrolled` to `expired`, and from each to `revoked`. */
export function stateOf({ revoked, expiresAt, machines }: ModelToken, now: number): string {
  if (revoked) return 'revoked';
  if (expiresAt <= now) return 'expired';
  return machines.size === 0 ? 'unused' : 'enrolled';
}

/** Why a token lets nobody in. */
export function refusalOfToken(token: ModelToken, now: number): Refusal | undefined {
  const state = stateOf(token, now);
  if (state === 'revoked') return 'TOKEN_REVOKED';
  return state === 'expired' ? 'TOKEN_EXPIRED' : undefined;
}

/** Why a machine may not come with a token. */
export function refusalOfEnrollment(
  token: ModelToken,
  { machine, runner, now }: { machine: string; runner: ModelRunner | undefined; now: number },
): Refusal | undefined {
  const { maxMachines, machines } = token;
  const refused = refusalOfToken(token, now);
  if (refused !== undefined) return refused;
  if (!machines.has(machine) && maxMachines !== null && machines.size >= maxMachines)
    return 'MACHINE_MISMATCH';
  return runner?.revoked && runner.by === token ? 'TOKEN_REVOKED' : undefined;
}

/** Why a secret of a runner is not taken. */
export function refusalOfSecret(runner: ModelRunner, text: string, now: number): Refusal | undefined {
  const secret = runner.secrets.find((one) => one.text === text);
  if (secret === undefined) return 'CREDENTIAL_INVALID';
  if (runner.revoked) return 'TOKEN_REVOKED';
  if (secret.until <= now) return 'CREDENTIAL_INVALID';
  return runner.by.revoked ? 'TOKEN_REVOKED' : undefined;
}

function keep(runner: ModelRunner, secrets: readonly ModelSecret[]): void {
  const kept = secrets.slice(-MAX_SECRETS);
  for (const { text } of runner.secrets) if (!kept.some((one) => one.text === text)) runner.former.push(text);
  runner.secrets = kept;
}

/** Another secret, in the place of all those before it, which are taken for a while. */
export function issued(runner: ModelRunner, text: string, { now, overlapMs = OVERLAP_MS }: Issue): void {
  const before = runner.secrets.filter(({ until }) => until > now);
  const ending = before.map((one) => ({ ...one, until: Math.min(one.until, now + overlapMs) }));
  keep(runner, [...ending, { text, until: FOR_EVER, renewed: false }]);
}

export interface Issue {
  readonly now: number;
  readonly overlapMs?: number;
}

/** Another secret for a runner that came with one that is to end: of those there is one. */
export function renewed(runner: ModelRunner, text: string): void {
  const others = runner.secrets.filter((one) => !one.renewed);
  keep(runner, [...others, { text, until: FOR_EVER, renewed: true }]);
}

/** A machine has come with a token. */
export function enrolled(
  runner: ModelRunner,
  token: ModelToken,
  given: { readonly secret: string | undefined; readonly now: number },
): void {
  token.machines.add(runner.machine);
  if (runner.revoked) keep(runner, []);
  runner.by = token;
  runner.revoked = false;
  if (given.secret !== undefined) issued(runner, given.secret, given);
}
