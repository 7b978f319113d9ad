import type { CapabilityContext } from './capability-context.js';

/**
 * Stands around the handler of a capability: sees its context, calls `next()` for what lies further in, and passes on
 * or replaces what that returns. What it throws is the execution's failure. The result is checked afterwards.
 *
 * @example
 * const timed: Middleware = async (ctx, next) => {
 *   const startedMs = performance.now();
 *   try {
 *     return await next();
 *   } finally {
 *     ctx.log.debug('took', { ms: performance.now() - startedMs });
 *   }
 * };
 */
export type Middleware = (ctx: CapabilityContext, next: () => Promise<unknown>) => unknown;

type Handler = (input: never, ctx: never) => unknown;

/**
 * Puts middleware around a handler.
 * @param use - the first is the outermost; with none, the handler is returned as it is and costs nothing more
 * @param handler - what lies within
 */
export function withMiddleware<Given extends Handler>(use: readonly Middleware[], handler: Given): Given {
  if (use.length === 0) return handler;
  const call = handler as unknown as (input: unknown, ctx: CapabilityContext) => unknown;
  const wrapped = (input: unknown, ctx: CapabilityContext): unknown => {
    const enter = async (index: number): Promise<unknown> => {
      const middleware = use[index];
      return middleware ? middleware(ctx, () => enter(index + 1)) : call(input, ctx);
    };
    return enter(0);
  };
  return wrapped as unknown as Given;
}
