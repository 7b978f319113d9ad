import type { Operations } from '../model/operations.js';
import { createApiDocuments } from './api-documents.js';
import type { Handlers } from './call.js';

type ProbeHandlers = Pick<
  Handlers,
  'jobForgeHealth' | 'jobForgeLive' | 'jobForgeReady' | 'openApi' | 'asyncApi'
>;

/** What machines ask: how JobForge is, and what it answers. */
export function createProbeHandlers(operations: Operations): ProbeHandlers {
  const documents = createApiDocuments();
  return {
    jobForgeHealth: async () => {
      const health = await operations.health();
      return { status: health.status === 'healthy' ? 200 : 503, body: health };
    },
    jobForgeLive: async () => ({ body: { ok: true, reasons: [] } }),
    jobForgeReady: async () => {
      const readiness = operations.readiness();
      return { status: readiness.ok ? 200 : 503, body: readiness };
    },
    openApi: async () => ({ body: documents.openApi() }),
    asyncApi: async () => ({ body: documents.asyncApi() }),
  };
}
