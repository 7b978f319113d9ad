import type { JsonObject } from '@controlplane/contracts';
import type { Access } from '../access/access.js';
import type { AccessOperations } from '../model/access-operations.js';
import { LIBRARY, type Caller, type RunnerTarget } from '../model/caller.js';
import { JobForgeError } from '../model/job-forge-error.js';
import type { AccessWatch } from './access-watch.js';
import type { LiveState } from './live-state.js';
import { runnerNotFound, type RunnerRegistry } from './runner-registry.js';

export interface AccessControlParts {
  readonly state: LiveState;
  readonly registry: RunnerRegistry;
  readonly access: Access;
  readonly watch: AccessWatch;
}

/** Handing out and taking back, and what it means for the runners that are here. */
export function createAccessControls(parts: AccessControlParts): AccessOperations {
  const { state, registry, access, watch } = parts;
  const note = (
    actor: string | undefined,
    action: string,
    on: { readonly subject: string; readonly detail?: JsonObject },
  ): void => state.audit({ actor: actor ?? LIBRARY, action, ...on });
  /** Whether it is here, or was and can come back. */
  const isKnown = (id: string): boolean =>
    registry.get(id) !== undefined || access.secrets.get(id) !== undefined;

  return {
    async createToken(request, actor) {
      const created = await access.tokens.create(request);
      const { kind, role, expiresAt } = created;
      const detail = { kind, ...(role && { role }), ...(expiresAt && { expiresAt }) };
      note(actor, 'token.create', { subject: `token:${request.name}`, detail });
      return created;
    },
    listTokens: async () => access.tokens.list(),
    async revokeToken(name, actor) {
      const revoked = await access.tokens.revoke(name);
      note(actor, 'token.revoke', { subject: `token:${name}` });
      watch.look();
      return revoked;
    },
    async revokeRunner(id, actor) {
      if (!isKnown(id)) throw runnerNotFound(id);
      const revokedAt = await access.secrets.revoke(id);
      note(actor, 'runner.revoke', { subject: `runner:${id}` });
      watch.look();
      return { runnerId: id, revoked: true, revokedAt: new Date(revokedAt).toISOString() };
    },
    async rotateRunnerSecret(id, { overlapMs }, actor) {
      if (!isKnown(id)) throw runnerNotFound(id);
      const issued = await access.secrets.rotate(id, overlapMs);
      note(actor, 'runner.rotate-secret', { subject: `runner:${id}`, detail: { overlapMs } });
      watch.look();
      const previousUntil = new Date(state.clock.now() + overlapMs).toISOString();
      return { runnerId: id, runnerSecret: issued.text, previousUntil };
    },
  };
}

/** Whose a target is; undefined where nobody can tell. */
function ownerOf(
  { state, registry }: Pick<AccessControlParts, 'state' | 'registry'>,
  target: RunnerTarget,
): string | undefined {
  if ('runnerId' in target) return target.runnerId;
  if ('beatOf' in target) return registry.get(target.beatOf)?.id;
  // An execution that is over says no more of whose it was: its lease token decides.
  return state.executions.get(target.executionId)?.runner.id;
}

/** Refuses whoever asks about another runner than the one that it has proved to be. */
export function checkOwner(
  { state, registry, access }: Pick<AccessControlParts, 'state' | 'registry' | 'access'>,
  caller: Caller,
  target: RunnerTarget,
): void {
  const owner = ownerOf({ state, registry }, target);
  if (owner === undefined || caller.kind === 'anyone' || caller.kind === 'api') return;
  if (caller.kind === 'runner') {
    if (caller.runnerId !== owner) throw new JobForgeError('RUNNER_MISMATCH');
    return;
  }
  const enrolledBy = access.secrets.get(owner)?.enrolledBy;
  if (enrolledBy !== undefined && enrolledBy !== caller.token) throw new JobForgeError('RUNNER_MISMATCH');
}
