import { z } from 'zod';
import { HealthCheck, Probe } from './health.js';
import type { Endpoint } from './endpoint.js';

/** A document that describes an API: what its own specification says. */
const ApiDocument = z.record(z.string(), z.unknown());

const served = { server: 'jobforge', status: 200 } as const;

/** What JobForge answers to whoever looks after it. */
export const PROBE_ENDPOINTS = {
  jobForgeHealth: {
    ...served,
    method: 'GET',
    path: '/health',
    response: HealthCheck,
    auth: 'none',
    summary: 'Health of the control plane; 503 unless healthy',
  },
  jobForgeLive: {
    ...served,
    method: 'GET',
    path: '/livez',
    response: Probe,
    auth: 'none',
    summary: 'Whether the process answers at all',
  },
  jobForgeReady: {
    ...served,
    method: 'GET',
    path: '/readyz',
    response: Probe,
    auth: 'none',
    summary: 'Takes jobs; 503 otherwise',
  },
  metrics: {
    ...served,
    method: 'GET',
    path: '/metrics',
    response: z.string(),
    stream: 'text',
    media: ['text/plain'],
    auth: 'read',
    summary: 'What is measured, in the text format of Prometheus',
  },
  openApi: {
    ...served,
    method: 'GET',
    path: '/openapi.json',
    response: ApiDocument,
    auth: 'none',
    summary: 'The OpenAPI document of these endpoints',
  },
  asyncApi: {
    ...served,
    method: 'GET',
    path: '/asyncapi.json',
    response: ApiDocument,
    auth: 'none',
    summary: 'The AsyncAPI document of the runners’ socket and of the events of jobs',
  },
} as const satisfies Record<string, Endpoint>;
