/** Events as lines of a stream, and what a careless runner makes of them. */

function told(event, broken) {
  if (event.type === 'succeeded' && broken('streaming.returns-declared-output'))
    return { ...event, data: undefined };
  if (event.type !== 'failed') return event;
  const { error, ...rest } = event;
  if (broken('streaming.failure-is-an-envelope'))
    return { ...event, error: { ...error, code: 'EXECUTION_FAILED', retryable: true } };
  return broken('streaming.timeout-is-an-event') && error.code === 'EXECUTION_TIMEOUT'
    ? { ...rest, type: 'cancelled', reason: 'deadline' }
    : event;
}

/** Writes an execution's events: those that were, then those to come. */
export async function streamEvents(execution, response, broken) {
  let written = 0;
  const write = (event) => {
    const json = JSON.stringify(told(event, broken));
    const line = broken('streaming.keeps-text-intact') ? json.replaceAll(/[^ -~]/g, '?') : json;
    written += 1;
    if (broken('streaming.ends-with-newline')) response.write(written === 1 ? line : `\n${line}`);
    else response.write(`${line}\n`);
  };
  if (broken('streaming.as-it-happens')) await execution.done;
  execution.events.forEach(write);
  execution.listeners.add(write);
  await execution.done;
  execution.listeners.delete(write);
}
