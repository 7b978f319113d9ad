import type { RunnerFrame, ServerFrame } from '@controlplane/contracts';
import type { Clock } from '../../util/clock.js';
import type { FrameInTransit, FrameType, Passage } from './faults.js';

/** What happened to one message, for whoever reads a test that failed. */
export interface FrameRecord {
  /** Milliseconds of the clock when it was sent. */
  readonly atMs: number;
  readonly from: 'runner' | 'host';
  readonly type: FrameType;
  readonly executionId: string | undefined;
  /** How many copies arrive; 0 when it was lost. */
  readonly copies: number;
}

/** One runner's link to the control plane, with the weather between them. */
export interface FaultyLink {
  readonly isUp: boolean;
  toHost(frame: RunnerFrame): void;
  toRunner(frame: ServerFrame): void;
  /** Cuts the link: what is on its way is lost. */
  cut(): void;
  /** Joins it again. */
  join(): void;
  /** Cuts it for good; nobody is told. */
  close(): void;
}

/** What a link joins, and what it is made of. */
export interface FaultyLinkOptions {
  readonly clock: Clock;
  /** Asked for each message. */
  readonly passage: (frame: FrameInTransit) => Passage;
  readonly nth: (from: FrameInTransit['from'], type: FrameType) => number;
  readonly record: (frame: FrameRecord) => void;
  readonly onRunnerFrame: (frame: RunnerFrame) => void;
  readonly onServerFrame: (frame: ServerFrame) => void;
  readonly onCut: () => void;
  readonly onJoined: () => void;
}

function executionOf(frame: RunnerFrame | ServerFrame): string | undefined {
  if ('executions' in frame) return frame.executions[0]?.executionId;
  if (frame.type !== 'directives') return undefined;
  const [directive] = frame.directives;
  return directive && 'executionId' in directive ? String(directive.executionId) : undefined;
}

/** What arrives is what JSON carries, and nobody's object. */
const overTheWire = <Frame>(frame: Frame): Frame => JSON.parse(JSON.stringify(frame)) as Frame;

/** Carries the messages of one direction. */
function createDirection<Frame extends RunnerFrame | ServerFrame>(
  from: FrameInTransit['from'],
  options: Pick<FaultyLinkOptions, 'clock' | 'passage' | 'nth' | 'record'> & {
    readonly isCurrent: (epoch: number) => boolean;
    readonly epoch: () => number;
    readonly cut: () => void;
    readonly deliver: (frame: Frame) => void;
  },
): (frame: Frame) => void {
  const { clock, passage, nth, record, isCurrent, deliver } = options;
  /** Nothing in order arrives before this. */
  let lastDueMs = 0;

  return (frame) => {
    const sentEpoch = options.epoch();
    const { type } = frame;
    const executionId = executionOf(frame);
    const { delaysMs, cuts, overtakes } = passage({ from, type, executionId, nth: nth(from, type) });
    record({ atMs: clock.elapsed(), from, type, executionId, copies: delaysMs.length });
    if (cuts) return options.cut();
    const nowMs = clock.elapsed();
    for (const delayMs of delaysMs) {
      const copy = overTheWire(frame);
      const dueMs = overtakes ? nowMs + delayMs : Math.max(nowMs + delayMs, lastDueMs);
      lastDueMs = Math.max(lastDueMs, dueMs);
      const arrive = (): void => {
        if (isCurrent(sentEpoch)) deliver(copy);
      };
      if (dueMs > nowMs) clock.setTimeout(arrive, dueMs - nowMs);
      else void Promise.resolve().then(arrive);
    }
  };
}

/** Makes a link that is down until it is joined. */
export function createFaultyLink(options: FaultyLinkOptions): FaultyLink {
  let isUp = false;
  let epoch = 0;

  const cut = (): void => {
    if (!isUp) return;
    isUp = false;
    epoch++;
    options.onCut();
  };
  const shared = { ...options, cut, epoch: () => epoch, isCurrent: (sent: number) => isUp && sent === epoch };
  const toHost = createDirection<RunnerFrame>('runner', { ...shared, deliver: options.onRunnerFrame });
  const toRunner = createDirection<ServerFrame>('host', { ...shared, deliver: options.onServerFrame });
  return {
    get isUp() {
      return isUp;
    },
    toHost(frame) {
      if (isUp) toHost(frame);
    },
    toRunner(frame) {
      if (isUp) toRunner(frame);
    },
    cut,
    join() {
      if (isUp) return;
      isUp = true;
      options.onJoined();
    },
    close() {
      isUp = false;
      epoch++;
    },
  };
}
