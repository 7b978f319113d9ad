import { secretNameOf } from './request-parsing.js';
import { capabilityOffers } from '../model/capability-offers.js';
import type { Operations } from '../model/operations.js';
import { createAccessHandlers } from './access-handlers.js';
import type { Handlers } from './call.js';
import { createProbeHandlers } from './probe-handlers.js';
import { maySee, maySeeRunner, scoped } from './scope.js';

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
    listCapabilities: async () => ({ body: capabilityOffers(await operations.listRunners()) }),
    listRunners: async ({ caller }) => ({
      body: (await operations.listRunners()).filter((runner) => maySeeRunner(caller, runner)),
    }),
    showRunner: async ({ id }) => ({ body: await operations.showRunner(id) }),
    drainRunner: async ({ id, body }) => ({ body: await operations.drainRunner(id, body) }),
    disableRunner: async ({ id, body }) => ({ body: await operations.disableRunner(id, body) }),
    enableRunner: async ({ id }) => ({ body: await operations.enableRunner(id) }),
    verifyRunner: async ({ id }) => ({ body: await operations.verifyRunner(id) }),
    deleteRunner: async ({ id, query }) => ({ body: await operations.deleteRunner(id, query) }),
    submitJob: async ({ body, caller }) => {
      const { job, created } = await operations.submitJob(scoped(caller, body));
      return created ? { body: job } : { status: 200, body: job };
    },
    submitJobs: async ({ body, caller }) => ({
      body: { jobs: await operations.submitJobs(body.jobs.map((job) => scoped(caller, job))) },
    }),
    listJobs: async ({ query, caller }) => {
      const page = await operations.listJobs(query);
      return { body: { ...page, items: page.items.filter((job) => maySee(caller, job)) } };
    },
    whyJob: async ({ id }) => ({ body: await operations.whyJob(id) }),
    showJob: async ({ id }) => ({ body: await operations.showJob(id) }),
    cancelJob: async ({ id }) => ({ body: await operations.cancelJob(id, 'user') }),
    listArtifacts: async ({ id }) => ({ body: await operations.listArtifacts(id) }),
    listSecrets: async () => ({ body: await operations.listSecrets() }),
    setSecret: async ({ id, body }) => ({ body: await operations.setSecret(secretNameOf(id), body) }),
    deleteSecret: async ({ id, query }) => {
      await operations.deleteSecret(id, query.capability);
      return { body: { name: id, deleted: true } };
    },
    queryTruth: async ({ query }) => ({ body: await operations.queryTruth(query) }),
    listAudit: async ({ query }) => ({ body: await operations.listAudit(query) }),
    verifyChains: async () => ({ body: await operations.verifyChains() }),
    retryJob: async ({ id }) => ({ body: await operations.retryJob(id) }),
    retryJobs: async ({ body }) => ({ body: await operations.retryJobs(body) }),
    createWebhook: async ({ body }) => ({ body: await operations.createWebhook(body) }),
    listWebhooks: async () => ({ body: await operations.listWebhooks() }),
    webhookKey: async () => ({ body: await operations.webhookKey() }),
    deleteWebhook: async ({ id }) => ({ body: await operations.deleteWebhook(id) }),
    ...createAccessHandlers(operations),
    ...createProbeHandlers(operations),
  };
}
