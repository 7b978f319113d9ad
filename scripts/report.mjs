import { mkdirSync, openSync, readFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { dirname, join, relative } from 'node:path';
import { childEnvironment } from './environment.mjs';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Logs and reports of these scripts; ignored by git. */
export const cacheDir = join(root, '.cache');

/** Something that went wrong in a foreseen way: its message is the one sentence that the person sees. */
export class Refusal extends Error {}

export const seconds = (sinceMs) => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;

/**
 * Runs a command's body; a Refusal is printed as its sentence, anything else with its stack. Sets the exit code.
 * @param {() => Promise<number | void>} body
 */
export async function main(body) {
  try {
    process.exitCode = (await body()) ?? 0;
  } catch (error) {
    console.error(error instanceof Refusal ? `✗ ${error.message}` : error);
    process.exitCode = 1;
  }
}

/**
 * Says what is happening while it happens: one line, on a terminal with the time running.
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  const startedAt = performance.now();
  const live = process.stderr.isTTY;
  const show = () => process.stderr.write(`\r${title} … ${seconds(startedAt)} `);
  if (!live) process.stderr.write(`${title} …\n`);
  const timer = live ? setInterval(show, 200) : undefined;
  try {
    const result = await work();
    process.stderr.write(
      live ? `\r${title} … done in ${seconds(startedAt)}\n` : `${title}: ${seconds(startedAt)}\n`,
    );
    return result;
  } catch (error) {
    if (live) process.stderr.write('\n');
    throw error;
  } finally {
    clearInterval(timer);
  }
}

/** @param {string} name */
export function logFile(name) {
  mkdirSync(cacheDir, { recursive: true });
  return join(cacheDir, `${name}.log`);
}

/** @param {string} file */
export const shown = (file) => relative(process.cwd(), file) || '.';

/**
 * Runs a command whose output goes to a log, or to the terminal when there is no log.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, log?: string, env?: NodeJS.ProcessEnv, shell?: boolean }} [options]
 * @returns {Promise<{ code: number, output: () => string }>}
 */
export function run(command, args, options = {}) {
  const { cwd = root, log, env = {}, shell = false } = options;
  const fd = log ? openSync(log, 'w') : undefined;
  const stdio = fd === undefined ? 'inherit' : ['ignore', fd, fd];
  const child = spawn(command, args, { cwd, env: childEnvironment(env), stdio, shell });
  // Ctrl-C reaches the whole group by itself: this process only stays until the child has cleaned up.
  let interrupted = false;
  const forward = (signal) => child.kill(signal);
  const interrupt = () => (interrupted = true);
  process.on('SIGTERM', forward).on('SIGINT', interrupt);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      process.off('SIGTERM', forward).off('SIGINT', interrupt);
      if (interrupted && log) reject(new Refusal('Interrupted.'));
      resolve({
        code: code ?? (signal === 'SIGINT' ? 130 : 1),
        output: () => (log ? readFileSync(log, 'utf8') : ''),
      });
    });
  });
}
