// Starts a process of a benchmark, waits for its ready line, and asks it for its CPU time over IPC.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/**
 * @param {string} file - below benchmarks/processes
 * @param {Record<string, string>} env
 * @param {string[]} execArgv - options of Node
 */
export async function startProcess(file, env = {}, execArgv = []) {
  const path = fileURLToPath(new URL(`../processes/${file}`, import.meta.url));
  const child = fork(path, [], {
    env: { PATH: process.env.PATH, ...env },
    execArgv,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`${file} ended early with code ${code}`);
  });
  failed.catch(() => {});
  const message = async () => (await Promise.race([once(child, 'message'), failed]))[0];
  const ready = await message();
  return {
    ready,
    /** @param {unknown} question */
    async ask(question) {
      child.send(question);
      return message();
    },
    async stop() {
      if (child.exitCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/**
 * Answers the questions of {@link startProcess} in the child.
 * @param {unknown} ready
 * @param {Record<string, (question: any) => unknown>} answers
 */
export function answerParent(ready, answers) {
  const all = { cpu: () => process.cpuUsage(), memory: () => process.memoryUsage(), ...answers };
  const answer = async (question) => {
    const kind = typeof question === 'string' ? question : question.kind;
    process.send(await all[kind](question));
  };
  process.on('message', (question) => void answer(question));
  process.on('disconnect', () => process.exit(0));
  process.send(ready);
}
