import type { IncomingMessage, ServerResponse } from 'node:http';

/** Answers requests as a middleware of express, connect and their like. */
export type RunnerRequestHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;
