import type { JobEvent } from '@controlplane/contracts';

/** Shows what happens to several jobs while they run. */
export interface ProgressBoard {
  show(name: string, event: JobEvent): void;
}

interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const BAR_CELLS = 24;
const STATES: Partial<Record<JobEvent['type'], string>> = {
  'job.created': 'accepted',
  'job.queued': 'queued',
  'job.started': 'running',
  'job.retrying': 'retrying',
  'job.completed': 'completed',
  'job.failed': 'failed',
  'job.cancelled': 'cancelled',
  'job.expired': 'expired',
};

/** On a terminal one line a job that is redrawn in place; elsewhere a line for each change of state and each quarter. */
export function createProgressBoard(names: readonly string[], output: Output): ProgressBoard {
  const longest = Math.max(...names.map((name) => name.length));
  return output.isTTY ? redrawn(names, longest, output) : appended(longest, output);
}

function appended(longest: number, output: Output): ProgressBoard {
  const shown = new Map<string, number>();
  return {
    show(name, event) {
      const percent = percentOf(event);
      if (event.type === 'job.log') return;
      if (percent !== undefined) {
        const quarter = Math.floor(percent / 25);
        if (quarter <= (shown.get(name) ?? 0)) return;
        shown.set(name, quarter);
      }
      const text = describe(event);
      if (text) output.write(`${name.padEnd(longest)}  ${text}\n`);
    },
  };
}

function redrawn(names: readonly string[], longest: number, output: Output): ProgressBoard {
  const lines = new Map(names.map((name) => [name, { percent: 0, text: 'accepted' }]));
  let drawn = false;
  const draw = (above: string): void => {
    const up = drawn ? `\u001b[${names.length}A` : '';
    const width = output.columns ?? 80;
    const body = names
      .map((name) => `\u001b[2K${line(name.padEnd(longest), lines.get(name), width)}\n`)
      .join('');
    output.write(`${up}${above ? `\u001b[2K${above.slice(0, width - 1)}\n` : ''}${body}`);
    drawn = true;
  };
  return {
    show(name, event) {
      const text = describe(event);
      if (event.type === 'job.log') return draw(`${name.padEnd(longest)}  ${text}`);
      const before = lines.get(name)?.percent ?? 0;
      lines.set(name, { percent: percentOf(event) ?? (event.type === 'job.completed' ? 100 : before), text });
      draw('');
    },
  };
}

function line(name: string, state: { percent: number; text: string } | undefined, width: number): string {
  const { percent = 0, text = '' } = state ?? {};
  const filled = Math.round((percent / 100) * BAR_CELLS);
  return `${name}  ${'█'.repeat(filled)}${'░'.repeat(BAR_CELLS - filled)}  ${text}`.slice(0, width - 1);
}

function percentOf(event: JobEvent): number | undefined {
  const fraction = event.type === 'job.progress' ? event.data?.['fraction'] : undefined;
  return typeof fraction === 'number' ? Math.round(fraction * 100) : undefined;
}

function describe(event: JobEvent): string {
  const { level, message, fields } = event.data ?? {};
  const percent = percentOf(event);
  if (percent !== undefined)
    return `${String(percent).padStart(3)} %  ${typeof message === 'string' ? message : ''}`.trimEnd();
  if (event.type !== 'job.log') return STATES[event.type] ?? event.type;
  const more = fields === undefined ? '' : `  ${JSON.stringify(fields)}`;
  return `${typeof level === 'string' ? level.padEnd(5) : ''} ${typeof message === 'string' ? message : ''}${more}`;
}
