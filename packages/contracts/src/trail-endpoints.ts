import type { Endpoint } from './endpoint.js';
import { AuditList, AuditQuery, ChainReport } from './trail.js';
import { TruthParameters, TruthQueryResult } from './truth.js';

const served = { server: 'jobforge', status: 200 } as const;

/** Where the append-only records are read. */
export const TRAIL_ENDPOINTS = {
  queryTruth: {
    ...served,
    method: 'GET',
    path: '/truth',
    query: TruthParameters,
    response: TruthQueryResult,
    auth: 'read',
    summary: 'What ran and how it ended, newest first: an append-only record that outlives the jobs',
  },
  listAudit: {
    ...served,
    method: 'GET',
    path: '/audit',
    query: AuditQuery,
    response: AuditList,
    auth: 'admin',
    summary: 'Who did what to whom, newest first',
  },
  verifyChains: {
    ...served,
    method: 'GET',
    path: '/chains',
    response: ChainReport.array(),
    auth: 'admin',
    summary: 'Whether the append-only records are as they were written',
  },
} as const satisfies Record<string, Endpoint>;
