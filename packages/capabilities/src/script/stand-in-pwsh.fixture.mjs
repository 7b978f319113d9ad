#!/usr/bin/env node
// Takes the place of PowerShell where there is none: answers the probe, and runs a file as `pwsh -File` does, with the
// module that PSModulePath names. The file is JavaScript, and `job` speaks as the module's commands do.
import { copyFileSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const FLAGS = ['-NoLogo', '-NoProfile', '-NonInteractive'];
const { argv, env } = process;
const flags = argv.slice(2, 5);
const [kind, what, ...args] = argv.slice(5);
if (JSON.stringify(flags) !== JSON.stringify(FLAGS)) throw new Error(`started with ${flags.join(' ')}`);

if (kind === '-Command') {
  if (!what.includes('$PSVersionTable')) throw new Error(`asked ${what}`);
  process.stdout.write(`${argv[1]}\n7.5.1\n`);
} else {
  const module = readFileSync(join(env.PSModulePath, 'job/job.psm1'), 'utf8');
  const commands = [...module.matchAll(/^function (\w+-Job\w+)/gm)].map(([, name]) => name);
  const say = (word, ...texts) =>
    writeSync(3, `${[word, ...texts.map((text) => Buffer.from(text).toString('base64'))].join(' ')}\n`);
  const input = JSON.parse(readFileSync(env.JOB_INPUT, 'utf8'));
  globalThis.job = { say, input, commands, args };
  const program = join(env.JOB_FOLDER, 'script.mjs');
  copyFileSync(what, program);
  await import(program);
}
