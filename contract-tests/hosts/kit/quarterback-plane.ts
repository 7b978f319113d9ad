import { QuarterbackLogs } from '@controlplane/contracts/quarterback';
import {
  startScriptedQuarterback,
  type QuarterbackCall,
  type QuarterbackTaskRecord,
} from '../quarterback/scripted-quarterback.js';
import { failureOf, inSeconds, type ForeignPlane, type Heard } from './foreign-plane.js';

const STOPPED = /^Task was stopped: /;

/** What a runner has said of a task beside its result and why it ended. */
function saidIn(session: QuarterbackLogs['session'] | undefined): Heard[] {
  const texts = (session?.messages ?? []).flatMap(({ role, content }) =>
    role === 'system' && typeof content === 'string' ? [content] : [],
  );
  return texts.filter((text) => !STOPPED.test(text)).map((text) => ({ type: 'said', text }));
}

/** A Quarterback whose tasks are orders. What is said of a task that is called cancelled is its log alone. */
export async function quarterbackPlane(): Promise<ForeignPlane> {
  const plane = await startScriptedQuarterback();

  function endOf(task: QuarterbackTaskRecord): Heard {
    if (task.status === 'success')
      return { type: 'succeeded', output: plane.printed(task), tookMs: undefined };
    const message = task.messages.at(-1) ?? '';
    return /^Task timed out after \d+ seconds$/.test(message)
      ? { type: 'failed', code: 'EXECUTION_TIMEOUT', message }
      : failureOf(message);
  }
  /** What a call says of a task. Its log is sent before its end. */
  function heardIn({ path, body }: QuarterbackCall, task: QuarterbackTaskRecord): readonly Heard[] {
    if (task.status === 'cancelled')
      return path === '/logs' ? [...saidIn(QuarterbackLogs.parse(body).session), { type: 'cancelled' }] : [];
    if (path !== '/status') return [];
    return task.status === 'running' ? [{ type: 'begun' }] : [...saidIn(task.session), endOf(task)];
  }
  return {
    url: plane.url,
    isServed: () => plane.known.length > 0,
    give({ id, text, timeoutMs }, hear) {
      const task = plane.task(text, { id, timeoutSeconds: inSeconds(timeoutMs) });
      let hasBegun = false;
      const leave = plane.calls.watch((call) => {
        if (Reflect.get(Object(call.body) as object, 'task_id') !== id) return;
        for (const heard of heardIn(call, task)) {
          const isEnd = heard.type !== 'begun' && heard.type !== 'said';
          if (isEnd) leave();
          // It is said to run as often as there is a report.
          if (heard.type !== 'begun' || !hasBegun) hear(heard);
          hasBegun ||= heard.type === 'begun';
        }
      });
    },
    cancel(id) {
      const task = plane.plane.tasks.get(id);
      if (task) plane.cancel(task);
    },
    watch: (see) => void plane.calls.watch(({ path, body }) => see(`${path} ${JSON.stringify(body)}`)),
  };
}
