import type { JsonObject } from '@controlplane/contracts';
import type { Audit } from '../access/audit.js';
import { LIBRARY } from '../model/caller.js';
import type { Operations } from '../model/operations.js';

type Audited = Pick<
  Operations,
  | 'cancelJob'
  | 'retryJob'
  | 'retryJobs'
  | 'drainRunner'
  | 'disableRunner'
  | 'enableRunner'
  | 'verifyRunner'
  | 'deleteRunner'
  | 'createWebhook'
  | 'deleteWebhook'
>;

/** What was done, once it is. */
interface Done {
  readonly action: string;
  readonly subject: string;
  readonly detail?: JsonObject | undefined;
}

type Note = <T>(actor: string | undefined, done: Done, deed: Promise<T>) => Promise<T>;

const reasonOf = ({ reason }: { readonly reason?: string | undefined }): JsonObject | undefined =>
  reason === undefined ? undefined : { reason };

function runnerDeeds(operations: Audited, note: Note) {
  const onRunner = (id: string, verb: string, detail?: JsonObject): Done => ({
    ...{ action: `runner.${verb}`, subject: `runner:${id}`, detail },
  });
  return {
    drainRunner: (id, request, actor) =>
      note(actor, onRunner(id, 'drain', reasonOf(request)), operations.drainRunner(id, request)),
    disableRunner: (id, request, actor) =>
      note(actor, onRunner(id, 'disable', reasonOf(request)), operations.disableRunner(id, request)),
    enableRunner: (id, actor) => note(actor, onRunner(id, 'enable'), operations.enableRunner(id)),
    verifyRunner: (id, actor) => note(actor, onRunner(id, 'verify'), operations.verifyRunner(id)),
    deleteRunner: (id, query, actor) =>
      note(
        actor,
        onRunner(id, 'delete', query.force === 'true' ? { force: true } : undefined),
        operations.deleteRunner(id, query),
      ),
  } satisfies Partial<Audited>;
}

/** The operations that people are to answer for, each of which leaves an entry in the audit trail once it is done. */
export function auditedOperations(operations: Audited, audit: Audit): Audited {
  const tell = (actor: string | undefined, { detail, ...done }: Done): void =>
    audit({ actor: actor ?? LIBRARY, ...done, ...(detail && { detail }) });
  const note: Note = async (actor, done, deed) => {
    const answer = await deed;
    tell(actor, done);
    return answer;
  };
  return {
    ...runnerDeeds(operations, note),
    cancelJob: (id, reason = 'user', actor) =>
      note(
        actor,
        { action: 'job.cancel', subject: `job:${id}`, detail: { reason } },
        operations.cancelJob(id, reason),
      ),
    retryJob: (id, actor) =>
      note(actor, { action: 'job.retry', subject: `job:${id}` }, operations.retryJob(id)),
    async retryJobs(request, actor) {
      const answer = await operations.retryJobs(request);
      const { status, type, code, since, dryRun } = request;
      if (dryRun) return answer;
      const retried = answer.jobs.filter((entry) => !('error' in entry)).length;
      const where = { status, ...(type && { type }), ...(code && { code }), ...(since && { since }) };
      tell(actor, { action: 'job.retry', subject: 'jobs', detail: { ...where, retried } });
      return answer;
    },
    async createWebhook(registration, actor) {
      const created = await operations.createWebhook(registration);
      // The rest of a URL may hold what is secret.
      const detail = { origin: new URL(created.url).origin };
      tell(actor, { action: 'webhook.create', subject: `webhook:${created.id}`, detail });
      return created;
    },
    deleteWebhook: (id, actor) =>
      note(actor, { action: 'webhook.delete', subject: `webhook:${id}` }, operations.deleteWebhook(id)),
  };
}
