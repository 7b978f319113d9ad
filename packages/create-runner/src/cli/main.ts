import { resolve } from 'node:path';
import { inspectDestination } from '../destination/inspect-destination.js';
import { CreateRunnerError, EXIT } from '../errors/create-runner-error.js';
import type { ExitCode } from '../errors/create-runner-error.js';
import { findLocalPackages } from '../project/local-packages.js';
import type { LocalPackages } from '../project/local-packages.js';
import { refuseNameOfDependency } from '../project/template-versions.js';
import { askForAnswers } from './ask.js';
import { commandsOf } from './commands-to-type.js';
import { helpText } from './help.js';
import { ANSWER_OPTIONS } from './options.js';
import type { Answers, Controls } from './options.js';
import { parseArguments } from './parse-arguments.js';
import type { CommandLine } from './parse-arguments.js';
import {
  addedRunnerText,
  addedText,
  createdText,
  failedReport,
  upgradeReport,
  upgradeText,
} from './report.js';
import { completeAnswers } from './resolve-answers.js';
import { interruptible } from './signals.js';
import { mayAsk, startedBy, swallowedFlags } from './surroundings.js';
import type { Surroundings } from './surroundings.js';

async function answersFor({ given, controls }: CommandLine, surroundings: Surroundings): Promise<Answers> {
  const options = { given, startedBy: startedBy(surroundings) };
  const asking = mayAsk(surroundings, controls);
  // Before anybody is asked seven questions: is the answer known to be refused?
  if (given.name !== undefined) refuseNameOfDependency(given.name);
  if (given.dir !== undefined) inspectDestination(resolve(surroundings.cwd, given.dir), controls);
  const answers = asking ? await askForAnswers(options) : completeAnswers(options);
  refuseNameOfDependency(answers.name);
  return answers;
}

function packagesOf({ packages }: Controls, cwd: string): LocalPackages | undefined {
  return packages === undefined ? undefined : findLocalPackages(resolve(cwd, packages));
}

async function runCreate(line: CommandLine, surroundings: Surroundings): Promise<ExitCode> {
  const { json, force } = line.controls;
  const packages = packagesOf(line.controls, surroundings.cwd);
  const answers = await answersFor(line, surroundings);
  const askedMs = surroundings.elapsedMs();
  // Loaded only now: --help and a refusal answer at once.
  const { create } = await import('./create.js');
  const report = await interruptible((signal) => create({ answers, force, signal, packages }, surroundings));
  // The time that a person took to answer is not ours.
  const startedMs = mayAsk(surroundings, line.controls) ? askedMs : 0;
  const elapsedMs = surroundings.elapsedMs() - startedMs;
  surroundings.stdout(
    json ? `${JSON.stringify(report)}\n` : `${createdText(report, { answers, elapsedMs })}\n`,
  );
  return EXIT.done;
}

async function runUpgrade({ given, controls }: CommandLine, surroundings: Surroundings): Promise<ExitCode> {
  const { cwd, templates, version } = surroundings;
  const path = resolve(cwd, given.dir ?? '.');
  const packages = packagesOf(controls, cwd);
  const { upgradeProject } = await import('../upgrade/upgrade-project.js');
  const dryRun = controls['dry-run'];
  const upgrade = await interruptible((signal) =>
    upgradeProject({ path, templates, version, packages, commandsOf, dryRun, signal }),
  );
  surroundings.stdout(
    controls.json
      ? `${JSON.stringify(upgradeReport(upgrade, { path, dryRun }))}\n`
      : `${upgradeText(upgrade, dryRun)}\n`,
  );
  return upgrade.changes.some(({ kind }) => kind === 'conflict') ? EXIT.conflicts : EXIT.done;
}

async function runAddCapability(line: CommandLine, surroundings: Surroundings): Promise<ExitCode> {
  const { cwd, templates } = surroundings;
  const path = resolve(cwd, line.given.dir ?? '.');
  const id = line.capability ?? '';
  const { addCapability } = await import('../additions/add-capability.js');
  const added = await interruptible((signal) => addCapability({ path, id, templates, signal }));
  surroundings.stdout(
    line.controls.json ? `${JSON.stringify({ added: id, ...added })}\n` : `${addedText(id, added)}\n`,
  );
  return EXIT.done;
}

async function runAdd({ given, controls }: CommandLine, surroundings: Surroundings): Promise<ExitCode> {
  const { cwd, templates } = surroundings;
  const path = resolve(cwd, given.dir ?? '.');
  const packages = packagesOf(controls, cwd);
  const port = given.port ?? ANSWER_OPTIONS.port.fallback({ known: {}, startedBy: 'npm' }) ?? 0;
  const { addToExpress } = await import('../additions/add-to-express.js');
  const added = await interruptible((signal) =>
    addToExpress({ path, name: given.name, port, templates, packages, signal }),
  );
  const pm = given.pm ?? startedBy(surroundings);
  surroundings.stdout(
    controls.json ? `${JSON.stringify({ added: path, ...added })}\n` : `${addedRunnerText(added, pm)}\n`,
  );
  return EXIT.done;
}

const RUN_COMMAND = {
  create: runCreate,
  upgrade: runUpgrade,
  'add runner': runAdd,
  'add capability': runAddCapability,
} as const;

function rescued(surroundings: Surroundings): string[] {
  // Another command than create has no use for them.
  if (['upgrade', 'add'].includes(surroundings.argv[0] ?? '')) return [];
  const flags = swallowedFlags(surroundings);
  if (flags.length > 0)
    surroundings.stderr(
      `! npm took ${flags.join(' ')} for itself; used here all the same. Write -- before the flags.\n`,
    );
  return flags;
}

async function run(surroundings: Surroundings): Promise<ExitCode> {
  const line = parseArguments([...surroundings.argv, ...rescued(surroundings)]);
  const { help, version } = line.controls;
  if (!help && !version) return RUN_COMMAND[line.command](line, surroundings);
  surroundings.stdout(`${help ? helpText(surroundings.version) : surroundings.version}\n`);
  return EXIT.done;
}

function asKnown(error: unknown): CreateRunnerError {
  if (error instanceof CreateRunnerError) return error;
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new CreateRunnerError(`create-runner failed in a way it does not know: ${detail}`, { cause: error });
}

/** The command, whole. Never throws; returns the exit code. */
export async function main(surroundings: Surroundings): Promise<ExitCode> {
  try {
    return await run(surroundings);
  } catch (thrown) {
    const error = asKnown(thrown);
    surroundings.stderr(`✗ ${error.message}\n`);
    if (surroundings.argv.includes('--json')) surroundings.stdout(`${JSON.stringify(failedReport(error))}\n`);
    return error.exitCode;
  }
}
