import { secretNameOf } from './request-parsing.js';
import { actorOf } from '../model/caller.js';
import type { Operations } from '../model/operations.js';
import { createAccessHandlers } from './access-handlers.js';
import type { Handlers } from './call.js';
import { createProbeHandlers } from './probe-handlers.js';
import { createRunnerHandlers } from './runner-handlers.js';
import { maySee, scoped } from './scope.js';

export function createHandlers(operations: Operations): Handlers {
  return {
    registerRunner: async ({ body, caller }) => ({ body: await operations.registerRunner(body, caller) }),
    heartbeat: async ({ body, caller }) => {
      operations.checkOwner(caller, { beatOf: body.runnerId });
      return { body: await operations.heartbeat(body, caller) };
    },
    deregisterRunner: async ({ id, body }) => ({ body: await operations.deregisterRunner(id, body) }),
    acceptExecution: async ({ id, body }) => ({ body: await operations.acceptExecution(id, body) }),
    recordEvents: async ({ id, body }) => ({ body: await operations.recordEvents(id, body) }),
    submitJob: async ({ body, caller }) => {
      const { job, created } = await operations.submitJob(scoped(caller, body), actorOf(caller));
      return created ? { body: job } : { status: 200, body: job };
    },
    submitJobs: async ({ body, caller }) => ({
      body: {
        jobs: await operations.submitJobs(
          body.jobs.map((job) => scoped(caller, job)),
          actorOf(caller),
        ),
      },
    }),
    listJobs: async ({ query, caller }) => {
      const page = await operations.listJobs(query);
      return { body: { ...page, items: page.items.filter((job) => maySee(caller, job)) } };
    },
    whyJob: async ({ id }) => ({ body: await operations.whyJob(id) }),
    showJob: async ({ id }) => ({ body: await operations.showJob(id) }),
    cancelJob: async ({ id, caller }) => ({ body: await operations.cancelJob(id, 'user', actorOf(caller)) }),
    listArtifacts: async ({ id }) => ({ body: await operations.listArtifacts(id) }),
    listSecrets: async () => ({ body: await operations.listSecrets() }),
    setSecret: async ({ id, body, caller }) => ({
      body: await operations.setSecret(secretNameOf(id), body, actorOf(caller)),
    }),
    deleteSecret: async ({ id, query, caller }) => {
      await operations.deleteSecret(id, query.capability, actorOf(caller));
      return { body: { name: id, deleted: true } };
    },
    queryTruth: async ({ query }) => ({ body: await operations.queryTruth(query) }),
    listAudit: async ({ query }) => ({ body: await operations.listAudit(query) }),
    verifyChains: async () => ({ body: await operations.verifyChains() }),
    retryJob: async ({ id, caller }) => ({ body: await operations.retryJob(id, actorOf(caller)) }),
    retryJobs: async ({ body, caller }) => ({ body: await operations.retryJobs(body, actorOf(caller)) }),
    createWebhook: async ({ body, caller }) => ({
      body: await operations.createWebhook(body, actorOf(caller)),
    }),
    listWebhooks: async () => ({ body: await operations.listWebhooks() }),
    webhookKey: async () => ({ body: await operations.webhookKey() }),
    deleteWebhook: async ({ id, caller }) => ({ body: await operations.deleteWebhook(id, actorOf(caller)) }),
    ...createRunnerHandlers(operations),
    ...createAccessHandlers(operations),
    ...createProbeHandlers(operations),
  };
}
