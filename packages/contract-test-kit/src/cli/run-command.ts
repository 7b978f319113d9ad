import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { renderReport } from '../reporters/formats.js';
import { runContract } from '../run-contract/run-contract.js';
import { withConfig } from './config-file.js';
import { EXIT, UsageError } from './exit-codes.js';
import { parseReports, parseRunOptions, type RunFlags } from './parse-flags.js';
import { parseTarget } from './parse-target.js';
import type { Terminal } from './terminal.js';

async function writeReport(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

/** `contract-test run`: judges a runner and writes the reports. */
export async function runCommand(given: RunFlags, terminal: Terminal): Promise<number> {
  const flags = withConfig(given, terminal.cwd);
  const { environment, progress = () => {} } = terminal;
  const token = flags.controlPlane === undefined ? undefined : environment['CONTRACT_TEST_TOKEN'];
  const target = parseTarget(token ? { token, ...flags } : flags, environment);
  const reports = parseReports(flags);
  const onProgress = (done: number, total: number): void =>
    progress(done === total ? '' : `${done} of ${total} requirements judged`);
  const report = await runContract(target, { ...parseRunOptions(flags), environment, onProgress });
  const unwritten: string[] = [];
  for (const { format, path } of reports) {
    const text = renderReport(report, format, { color: path === undefined && terminal.color });
    if (path === undefined) terminal.out(text);
    else await writeReport(path, text).catch((error: Error) => unwritten.push(`${path} (${error.message})`));
  }
  if (unwritten.length > 0) throw new UsageError(`a report cannot be written: ${unwritten.join('; ')}`);
  if (report.summary.error > 0) return EXIT.kitFault;
  return report.ok ? EXIT.conformant : EXIT.notConformant;
}
