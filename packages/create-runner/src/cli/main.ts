import { resolve } from 'node:path';
import { inspectDestination } from '../destination/inspect-destination.js';
import { CreateRunnerError, EXIT } from '../errors/create-runner-error.js';
import type { ExitCode } from '../errors/create-runner-error.js';
import { findLocalPackages } from '../project/local-packages.js';
import { refuseNameOfDependency } from '../project/template-versions.js';
import { askForAnswers } from './ask.js';
import { helpText } from './help.js';
import type { Answers } from './options.js';
import { parseArguments } from './parse-arguments.js';
import type { CommandLine } from './parse-arguments.js';
import { createdText, failedReport } from './report.js';
import { completeAnswers } from './resolve-answers.js';
import { interruptible } from './signals.js';
import { mayAsk, startedBy } from './surroundings.js';
import type { Surroundings } from './surroundings.js';

async function answersFor({ given, controls }: CommandLine, surroundings: Surroundings): Promise<Answers> {
  const options = { given, startedBy: startedBy(surroundings.env) };
  const asking = mayAsk(surroundings, controls);
  // Before anybody is asked seven questions: is the answer known to be refused?
  if (given.name !== undefined) refuseNameOfDependency(given.name);
  if (given.dir !== undefined) inspectDestination(resolve(surroundings.cwd, given.dir), controls);
  const answers = asking ? await askForAnswers(options) : completeAnswers(options);
  refuseNameOfDependency(answers.name);
  return answers;
}

async function run(surroundings: Surroundings): Promise<void> {
  const line = parseArguments(surroundings.argv);
  const { help, version, json, force } = line.controls;
  if (help) return surroundings.stdout(`${helpText(surroundings.version)}\n`);
  if (version) return surroundings.stdout(`${surroundings.version}\n`);
  const { packages: folder } = line.controls;
  const packages = folder === undefined ? undefined : findLocalPackages(resolve(surroundings.cwd, folder));
  const answers = await answersFor(line, surroundings);
  const askedMs = surroundings.elapsedMs();
  // Loaded only now: --help and a refusal answer at once.
  const { create } = await import('./create.js');
  const report = await interruptible((signal) => create({ answers, force, signal, packages }, surroundings));
  if (json) return surroundings.stdout(`${JSON.stringify(report)}\n`);
  // The time that a person took to answer is not ours.
  const startedMs = mayAsk(surroundings, line.controls) ? askedMs : 0;
  surroundings.stdout(
    `${createdText(report, { answers, elapsedMs: surroundings.elapsedMs() - startedMs })}\n`,
  );
}

function asKnown(error: unknown): CreateRunnerError {
  if (error instanceof CreateRunnerError) return error;
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new CreateRunnerError(`create-runner failed in a way it does not know: ${detail}`, { cause: error });
}

/** The command, whole. Never throws; returns the exit code. */
export async function main(surroundings: Surroundings): Promise<ExitCode> {
  try {
    await run(surroundings);
    return EXIT.created;
  } catch (thrown) {
    const error = asKnown(thrown);
    surroundings.stderr(`✗ ${error.message}\n`);
    if (surroundings.argv.includes('--json')) surroundings.stdout(`${JSON.stringify(failedReport(error))}\n`);
    return error.exitCode;
  }
}
