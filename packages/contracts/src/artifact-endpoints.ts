import { z } from 'zod';
import { Artifact } from './artifact.js';
import type { Endpoint } from './endpoint.js';

const served = { server: 'jobforge', status: 200 } as const;

/** Where the files of jobs go in and out, each as it is, streamed. */
export const ARTIFACT_ENDPOINTS = {
  putArtifact: {
    ...served,
    method: 'PUT',
    path: '/executions/:id/artifacts/:name',
    response: Artifact,
    status: 201,
    auth: 'runner',
    summary:
      'Leave a file with the job of an execution that runs; the body is the file, x-lease-token its right',
  },
  listArtifacts: {
    ...served,
    method: 'GET',
    path: '/jobs/:id/artifacts',
    response: Artifact.array(),
    auth: 'read',
    summary: 'The files that a job has left; of one name that of the last attempt',
  },
  getArtifact: {
    ...served,
    method: 'GET',
    path: '/jobs/:id/artifacts/:name',
    response: z.string(),
    stream: 'text',
    media: ['application/octet-stream'],
    auth: 'read',
    summary: 'One file of a job, as it was left',
  },
} as const satisfies Record<string, Endpoint>;
