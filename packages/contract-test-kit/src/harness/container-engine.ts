import { spawn } from 'node:child_process';
import { TargetUnreachable } from './target-unreachable.js';

const ENGINES = ['podman', 'docker'] as const;
/** An engine that has to wake up may take this long for one answer. */
const ANSWER_MS = 60_000;
/** A big image over a slow line. */
const PULL_MS = 600_000;
/** Characters of what an engine says that are kept, newest last. */
const KEPT_WORDS = 4_000;

/** podman or docker. */
export interface ContainerEngine {
  readonly program: (typeof ENGINES)[number];
  /** Runs one of its commands to the end. Never rejects; `code` is undefined when it could not be run, or took too long. */
  call(args: readonly string[], timeoutMs?: number): Promise<EngineAnswer>;
}

export interface EngineAnswer {
  readonly code: number | undefined;
  readonly out: string;
  /** What it said about it, on one line. */
  readonly words: string;
  readonly isMissing: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

const oneLine = (text: string): string => text.trim().replaceAll(/\s*\n\s*/g, ' ⏎ ');

function createEngine(program: ContainerEngine['program'], env: Environment): ContainerEngine {
  return {
    program,
    call: (args, timeoutMs = ANSWER_MS) =>
      new Promise((resolve) => {
        const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
        let out = '';
        let said = '';
        let isMissing = false;
        child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
        child.stderr
          .setEncoding('utf8')
          .on('data', (text: string) => (said = (said + text).slice(-KEPT_WORDS)));
        child.once('error', (error: NodeJS.ErrnoException) => {
          isMissing = error.code === 'ENOENT';
          said += error.message;
        });
        child.once('close', (code, signal) => {
          const late = signal === null ? '' : ` (no answer within ${timeoutMs / 1000} s)`;
          resolve({ code: code ?? undefined, out: out.trim(), words: oneLine(said) + late, isMissing });
        });
      }),
  };
}

/** An answer, after the name of the engine that gave it. */
const told = ({ program }: ContainerEngine, { words }: EngineAnswer): string =>
  `${program}: ${words.replace(/^(Error|Error response from daemon): /, '') || 'it says nothing'}`;

/**
 * The engine that has the image, or that pulls it: podman first, then docker.
 * @throws TargetUnreachable when none is installed, or none has the image nor can pull it
 */
export async function findEngine(image: string, environment: Environment): Promise<ContainerEngine> {
  const installed: ContainerEngine[] = [];
  for (const program of ENGINES) {
    const engine = createEngine(program, environment);
    const answer = await engine.call(['image', 'inspect', '--format', '{{.Id}}', image]);
    if (answer.code === 0) return engine;
    if (!answer.isMissing) installed.push(engine);
  }
  if (installed.length === 0)
    throw new TargetUnreachable(
      `An image needs podman or docker, and neither is in PATH. Install one, or judge the runner with --command or --url.`,
    );
  const refusals: string[] = [];
  for (const engine of installed) {
    const answer = await engine.call(['pull', '--quiet', image], PULL_MS);
    if (answer.code === 0) return engine;
    refusals.push(told(engine, answer));
  }
  throw new TargetUnreachable(
    `The image ${JSON.stringify(image)} is not on this machine and cannot be pulled. ${refusals.join(' · ')}`,
  );
}
