import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  CancelExecutionRequest,
  ENDPOINTS,
  endpointPath,
  type CancelReason,
  type EndpointName,
  type HealthCheck,
  type Probe,
  type RunnerManifest,
  type RunnerStatusReport,
} from '@controlplane/contracts';
import { replyJson } from '../../transport/http-reply.js';
import { createHttpRoutes, type HttpMiddleware, type HttpRoute } from '../../transport/http-routes.js';
import { issueDetails, replyError, sayDetails } from './error-reply.js';
import type { PushDelivery } from './push-delivery.js';
import { readRequestBody, type BodyOptions } from './request-body.js';

/** What the endpoints of a runner report and pass on. */
export interface RunnerRouterOptions {
  readonly service: string;
  readonly maxBodyBytes: number;
  readonly execute: PushDelivery;
  readonly health: () => Promise<HealthCheck>;
  readonly live: () => Probe;
  readonly ready: () => Probe;
  readonly manifest: () => RunnerManifest;
  readonly status: () => RunnerStatusReport;
  readonly cancel: (
    executionId: string,
    reason: CancelReason,
    leaseToken?: string,
  ) => 'cancelling' | 'ended' | 'unknown' | 'superseded';
  /** What is wrong with the signature of a request to cancel, in words; default: nothing is signed. */
  readonly verify?: BodyOptions['verify'];
}

type Handler = HttpRoute['handle'];

type RunnerEndpoint = {
  [Name in EndpointName]: (typeof ENDPOINTS)[Name]['server'] extends 'runner' ? Name : never;
}[EndpointName];

function createCancelHandler(options: RunnerRouterOptions): Handler {
  const { service, maxBodyBytes, cancel, verify } = options;
  const answer = (response: ServerResponse, executionId: string, body: unknown): void => {
    const parsed = CancelExecutionRequest.safeParse(body);
    if (!parsed.success) {
      const details = issueDetails(parsed.error.issues);
      return replyError(response, 'VALIDATION_ERROR', { service, details, message: sayDetails(details) });
    }
    const outcome = cancel(executionId, parsed.data.reason, parsed.data.leaseToken);
    if (outcome === 'unknown') {
      const message = `the runner "${service}" has no execution "${executionId}"`;
      return replyError(response, 'EXECUTION_NOT_FOUND', { service, message });
    }
    if (outcome === 'superseded') return replyError(response, 'LEASE_SUPERSEDED', { service });
    replyJson(
      response,
      ENDPOINTS.cancelExecution.status,
      JSON.stringify({ executionId, cancelling: outcome === 'cancelling' }),
    );
  };
  return (request, response, { executionId = '' }) => {
    const hasBody =
      request.headers['transfer-encoding'] !== undefined ||
      Number(request.headers['content-length'] ?? 0) > 0;
    if (!hasBody) {
      const message = verify?.(request.headers, '');
      if (message !== undefined) return replyError(response, 'SIGNATURE_INVALID', { service, message });
      return answer(response, executionId, {});
    }
    readRequestBody(request, { maxBytes: maxBodyBytes, as: 'json', verify }, (body) => {
      if (body.code === 'ABORTED') return;
      if (body.code !== undefined) return replyError(response, body.code, { service, message: body.message });
      answer(response, executionId, body.value);
    });
  };
}

function createHandlers(options: RunnerRouterOptions): Record<RunnerEndpoint, Handler> {
  const probe =
    (look: () => Probe): Handler =>
    (_, response) => {
      const found = look();
      replyJson(response, found.ok ? 200 : 503, JSON.stringify(found));
    };
  return {
    execute: options.execute,
    cancelExecution: createCancelHandler(options),
    runnerLive: probe(options.live),
    runnerReady: probe(options.ready),
    runnerManifest: (_, response) => replyJson(response, 200, JSON.stringify(options.manifest())),
    runnerStatus: (_, response) => replyJson(response, 200, JSON.stringify(options.status())),
    runnerHealth: (_, response) => {
      options.health().then(
        (health) => replyJson(response, health.status === 'healthy' ? 200 : 503, JSON.stringify(health)),
        (error: unknown) =>
          replyError(response, 'INTERNAL_ERROR', { service: options.service, message: String(error) }),
      );
    },
  };
}

/**
 * Makes the middleware of a runner's endpoints: for the runner's own server and for mounting into an application. A
 * known path with another method is answered 405; an unknown path is left to what follows.
 */
export function createRunnerRouter(options: RunnerRouterOptions): HttpMiddleware {
  const { service } = options;
  const handlers = Object.entries(createHandlers(options)) as Array<[RunnerEndpoint, Handler]>;
  return createHttpRoutes(
    handlers.map(([name, handle]) => {
      const { method, path } = ENDPOINTS[name];
      return {
        method,
        path,
        handle,
        refuse(request, response) {
          request.resume();
          response.setHeader('allow', method === 'GET' ? 'GET, HEAD' : method);
          replyError(response, 'METHOD_NOT_ALLOWED', {
            service,
            message: `${path} is served with ${method}, not ${request.method}`,
          });
        },
      };
    }),
  );
}

/** What comes after the router on the runner's own server: the last words for what nothing else answered. */
export function createLastResort(
  service: string,
): (request: IncomingMessage, response: ServerResponse, error?: unknown) => void {
  return (request, response, error) => {
    request.resume();
    if (error !== undefined && error !== null) {
      const isClientFault =
        error instanceof URIError || Reflect.get(Object(error) as object, 'status') === 400;
      const message = isClientFault
        ? `the path ${request.url ?? ''} cannot be decoded`
        : `the request could not be answered: ${error instanceof Error ? error.message : 'unknown'}`;
      return replyError(response, isClientFault ? 'VALIDATION_ERROR' : 'INTERNAL_ERROR', {
        service,
        message,
      });
    }
    const message = `nothing is served at ${request.method ?? ''} ${request.url ?? ''}; a runner serves ${endpointPath('execute')}, ${endpointPath('runnerHealth')}, ${endpointPath('runnerManifest')}`;
    replyError(response, 'ROUTE_NOT_FOUND', { service, message });
  };
}
