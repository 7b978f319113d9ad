import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';
import { buildStale } from './build-packages.mjs';
import { main, Refusal } from './report.mjs';
import { workspaces } from './workspace.mjs';

// What a package lets its users import, as text: packages/*/etc/<entry>.api.md, one for each key of its `exports`. A
// change of the public API is thereby a change that a reviewer sees. `pnpm api-report` writes the reports anew.

/** Packages whose folder has an etc/: they keep reports. */
const reported = () => workspaces().filter(({ dir }) => existsSync(join(dir, 'etc')));

const entriesOf = ({ manifest }) =>
  Object.values(manifest.exports ?? {}).flatMap((target) => target.import?.types ?? []);

const SILENT = { logLevel: ExtractorLogLevel.None };
const WRONG = { logLevel: ExtractorLogLevel.Warning };

function configOf({ dir }, types) {
  const reportFolder = join(dir, 'etc');
  return ExtractorConfig.prepare({
    configObject: {
      projectFolder: dir,
      mainEntryPointFilePath: join(dir, types),
      // Types alone: the declarations were checked when they were built.
      compiler: { tsconfigFilePath: join(dir, 'tsconfig.json'), skipLibCheck: true },
      apiReport: {
        enabled: true,
        includeForgottenExports: true,
        reportFileName: `${basename(types, '.d.ts')}.api.md`,
        reportFolder,
        reportTempFolder: join(dir, 'node_modules', '.cache', 'api-extractor'),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: WRONG },
        tsdocMessageReporting: { default: SILENT },
        extractorMessageReporting: {
          default: WRONG,
          'ae-missing-release-tag': SILENT,
          // An entry need not repeat what another one exports; the report shows it all the same.
          'ae-forgotten-export': SILENT,
          'ae-undocumented': SILENT,
          // For editors, which find it in the other entry.
          'ae-unresolved-link': SILENT,
        },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(dir, 'package.json'),
  });
}

/** Exported and without a word of documentation. A member may speak for itself; the report marks those that do. */
const undocumented = (report) =>
  [...report.matchAll(/^\/\/ @public \(undocumented\)\n(?<line>export .*)$/gm)].map(
    ({ groups }) => `has no documentation: ${groups?.line}`,
  );

/** @returns {string[]} what is wrong with one entry's report, in words */
function extract(workspace, { types, write }) {
  const problems = [];
  const config = configOf(workspace, types);
  mkdirSync(config.reportTempFolder, { recursive: true });
  const result = Extractor.invoke(config, {
    localBuild: write,
    messageCallback(message) {
      message.handled = true;
      const { logLevel, messageId, text, sourceFilePath, sourceFileLine } = message;
      if (logLevel !== ExtractorLogLevel.Warning && logLevel !== ExtractorLogLevel.Error) return;
      // That the report changed is said once, below.
      if (messageId.startsWith('console-api-report')) return;
      const place = sourceFilePath ? ` (${basename(sourceFilePath)}:${sourceFileLine})` : '';
      problems.push(`${messageId}: ${text}${place}`);
    },
  });
  if (result.apiReportChanged && !write)
    problems.push(
      `the public API changed: run \`pnpm api-report\` and commit etc/${basename(config.reportFilePath)}`,
    );
  problems.push(...undocumented(readFileSync(config.reportTempFilePath, 'utf8')));
  return problems.map((problem) => `${workspace.name} ${basename(types, '.d.ts')}: ${problem}`);
}

/**
 * Compares the public API of each package that keeps reports with them; what is public must also be documented.
 * @param {{ write?: boolean }} [options] write the reports instead
 */
export function checkApiReports({ write = false } = {}) {
  const problems = reported().flatMap((workspace) =>
    entriesOf(workspace).flatMap((types) => extract(workspace, { types, write })),
  );
  if (problems.length > 0) throw new Refusal(problems.join('\n'));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    await buildStale();
    checkApiReports({ write: true });
  });
}
