import { randomUUID } from 'node:crypto';
import { errorOf, friendlyReply, type Answer, type ControlPlaneScript } from './control-plane-script.js';
import {
  createRecord,
  type ArrivedMessage,
  type MessageKind,
  type MessageRecord,
  type RecordedMessage,
} from './recorded-message.js';

/** What every way into the control plane shares: its script, its record, and who the runner is. */
export interface PlaneCore {
  readonly script: ControlPlaneScript;
  readonly record: MessageRecord;
  /** The id that the newest registration was given. */
  runnerId(): string | undefined;
  /** Numbers a message and decides its answer. It is recorded when it is answered: see `record.add`. */
  hear(arrived: ArrivedMessage): { readonly message: RecordedMessage; readonly answer: Answer | undefined };
  /** The usual reply to a registration, which is accepted hereby. */
  registered(): Record<string, unknown>;
  usual(kind: MessageKind): Record<string, unknown> | undefined;
}

export function createPlaneCore(script: ControlPlaneScript): PlaneCore {
  const record = createRecord();
  let runnerId: string | undefined;
  const usual = (kind: MessageKind): Record<string, unknown> | undefined =>
    friendlyReply(kind, runnerId ?? 'unknown', script);
  return {
    script,
    record,
    runnerId: () => runnerId,
    hear(arrived) {
      const message = record.see(arrived);
      const answer = script.answer?.(message);
      const isElse = answer === 'drop' || answer === 'silence' || Object.hasOwn(Object(answer), 'html');
      const isAccepted = !isElse && errorOf(answer) === undefined;
      if (arrived.kind === 'register' && isAccepted) runnerId ??= `kit-runner-${randomUUID()}`;
      return { message, answer };
    },
    registered: () => usual('register') ?? {},
    usual,
  };
}
