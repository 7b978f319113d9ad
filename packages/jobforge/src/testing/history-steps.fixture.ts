import fc from 'fast-check';
import type { HistoryWorld } from './history-world.js';
import { MODEL_CAPABILITIES, type HeldExecution } from './model-holdings.js';
import type { ModelRunner } from './model-runner.js';

/** Something that happens: to whom is told by numbers that choose among those who are there. */
export type HistoryStep = Readonly<
  | { kind: 'submit'; capability: number }
  | { kind: 'resubmit' | 'cancel'; job: number }
  | { kind: 'connect' | 'mute'; runner: number }
  | { kind: 'cut'; runner: number; told: boolean }
  | { kind: 'crash'; runner: number; told: boolean }
  | { kind: 'accept' | 'log' | 'announce' | 'stop'; runner: number; execution: number }
  | { kind: 'end'; runner: number; execution: number; how: 'succeeded' | 'retryable' | 'failed' }
  | { kind: 'restart' | 'settle' }
  | { kind: 'advance'; ms: number }
>;

const pick = fc.nat({ max: 7 });
const runner = fc.nat({ max: 1 });

/** One step, what makes jobs go on more often than what stops them. */
const historyStep: fc.Arbitrary<HistoryStep> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('submit' as const), capability: fc.nat({ max: 3 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('resubmit' as const), job: pick }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cancel' as const), job: pick }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('connect' as const), runner }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('mute' as const), runner }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('cut' as const, 'crash' as const),
      runner,
      told: fc.boolean(),
    }) as fc.Arbitrary<HistoryStep>,
  },
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('accept' as const), runner, execution: pick }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('log', 'announce', 'stop'), runner, execution: pick }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      ...{ kind: fc.constant('end' as const), runner, execution: pick },
      how: fc.constantFrom('succeeded', 'retryable', 'failed'),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  { weight: 8, arbitrary: fc.constant({ kind: 'settle' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('advance' as const),
      ms: fc.constantFrom(100, 1_000, 6_000, 25_000),
    }),
  },
);

const FAILURE = {
  ...{ id: 'e1', timestamp: new Date(0).toISOString(), category: 'RUNTIME_ERROR', severity: 'error' },
  ...{ code: 'EXECUTION_FAILED', message: 'It failed.', service: 'model' },
  contractVersion: { major: 1, minor: 0, patch: 0 },
};

/** Ends an execution. What may have written does not ask to be tried again. */
export function endExecution(
  owner: ModelRunner,
  execution: HeldExecution,
  how: 'succeeded' | 'retryable' | 'failed',
): void {
  const executionTimeMs = 1;
  if (how === 'succeeded')
    return owner.tell(execution, {
      ...{ type: 'succeeded', executionTimeMs },
      data: { by: execution.executionId },
    });
  const writes = execution.capability === 'writes' || execution.capability === 'announces';
  const error = { ...FAILURE, retryable: how === 'retryable' && !writes };
  owner.tell(execution, { type: 'failed', error, executionTimeMs });
}

function chosen<Item>(items: readonly Item[], number: number): Item | undefined {
  return items[number % Math.max(1, items.length)];
}

type ExecutionStep = Extract<HistoryStep, { execution: number }>;

function onExecution(owner: ModelRunner, step: ExecutionStep): void {
  const phase = step.kind === 'accept' ? 'offered' : 'running';
  const candidates = [...owner.held.values()].filter((execution) => execution.phase === phase);
  const execution = chosen(candidates, step.execution);
  if (execution === undefined) return;
  if (step.kind === 'accept') return owner.accept(execution);
  if (step.kind === 'end') return endExecution(owner, execution, step.how);
  if (step.kind === 'log') return owner.tell(execution, { type: 'log', level: 'info', message: 'line' });
  if (step.kind === 'stop') {
    if (execution.cancelled) owner.tell(execution, { type: 'cancelled', reason: 'user', executionTimeMs: 1 });
    return;
  }
  if (execution.capability === 'announces' && execution.announcedAt === undefined)
    owner.tell(execution, { type: 'writing' });
}

function onRunner(world: HistoryWorld, step: Extract<HistoryStep, { runner: number }>): void {
  const owner = world.runners[step.runner];
  if (owner === undefined) return;
  if ('execution' in step) return onExecution(owner, step);
  if (step.kind === 'connect') return owner.connect(world.engine().operations);
  if (step.kind === 'mute') owner.hush();
  else if (step.kind === 'cut') owner.cut(step.told);
  else if (step.kind === 'crash') owner.crash(step.told);
}

function onJob(world: HistoryWorld, step: Extract<HistoryStep, { job: number }>): void {
  const id = chosen([...world.jobs.keys()], step.job);
  if (id === undefined) return;
  if (step.kind === 'cancel') world.cancel(id);
  else world.resubmit(id);
}

/** What comes out of the blue: before anybody could act on what was said before. */
const SUDDEN: ReadonlySet<HistoryStep['kind']> = new Set(['cut', 'crash', 'mute', 'restart', 'cancel']);

/** Lets a step happen. */
export async function takeStep(world: HistoryWorld, step: HistoryStep): Promise<void> {
  if (!SUDDEN.has(step.kind)) await world.turn();
  if ('runner' in step) return onRunner(world, step);
  if ('job' in step) return onJob(world, step);
  if (step.kind === 'submit') return world.submit(MODEL_CAPABILITIES[step.capability]?.id ?? 'pure');
  if (step.kind === 'advance') return world.advance(step.ms);
  return step.kind === 'restart' ? world.restart() : world.settle();
}

/** Histories as they are tried: long enough that something happens in each. */
export const histories = fc.array(historyStep, { minLength: 5, maxLength: 60, size: 'max' });
