import { z } from 'zod';
import type { Endpoint } from './endpoint.js';
import { FileQuery, FileReference } from './job-file.js';

const served = { server: 'jobforge', status: 200 } as const;

/** Where the files that jobs bring go in and out, each as it is, streamed. */
export const FILE_ENDPOINTS = {
  putFile: {
    ...served,
    method: 'PUT',
    path: '/files/:sha256',
    response: FileReference,
    status: 201,
    auth: 'submit',
    summary:
      'Upload a file for jobs that are submitted next; the body is the file, refused where its SHA-256 is another',
  },
  putResult: {
    ...served,
    method: 'PUT',
    path: '/executions/:id/result',
    response: FileReference,
    status: 201,
    auth: 'runner',
    summary:
      'Bring the result of an execution that is too large for an event, as JSON; its last event then names it in dataFile',
  },
  getFile: {
    ...served,
    method: 'GET',
    path: '/files/:sha256',
    query: FileQuery,
    response: z.string(),
    stream: 'text',
    media: ['application/octet-stream'],
    auth: 'any',
    summary:
      'A file of an execution that the caller holds, of a job that it may see, or that it has uploaded',
  },
} as const satisfies Record<string, Endpoint>;
