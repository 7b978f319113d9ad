import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { CONFIG_FILE } from './config-file.js';
import { EXIT, UsageError } from './exit-codes.js';
import type { Terminal } from './terminal.js';

/** Flags of `contract-test init`, as commander reads them. */
export interface InitFlags {
  readonly command?: string;
  readonly url?: string;
  readonly image?: string;
  readonly ci?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

const RUN = 'npx --yes -p @controlplane/contract-test-kit contract-test run';

const GITHUB = `name: contract
on: [push, pull_request]
jobs:
  contract:
    runs-on: ubuntu-latest
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with: { node-version: 22 }
      # What the runner needs is installed and built here.
      - run: ${RUN}
      - if: always()
        run: cat contract-reports/contract.md >> "$GITHUB_STEP_SUMMARY"
      - uses: actions/upload-artifact@v4
        if: always()
        with: { name: contract, path: contract-reports }
`;

const GITLAB = `contract:
  image: node:22
  script:
    # What the runner needs is installed and built here.
    - ${RUN}
  artifacts:
    when: always
    paths: [contract-reports/]
    reports:
      junit: contract-reports/contract.xml
      dotenv: contract-reports/contract.env
`;

const WORKFLOWS: Readonly<Record<string, readonly (readonly [path: string, text: string])[]>> = {
  github: [['.github/workflows/contract.yml', GITHUB]],
  gitlab: [['contract.gitlab-ci.yml', GITLAB]],
  none: [],
};

function configText({ command, url, image }: InitFlags): string {
  const config = {
    // Of the three there is one.
    ...{ command, url, image },
    reports: [
      'text',
      ...['json=contract.json', 'junit=contract.xml', 'markdown=contract.md', 'outputs=contract.env'].map(
        (report) => report.replace('=', '=contract-reports/'),
      ),
    ],
  };
  return `# Read by \`contract-test run\`; a flag takes precedence. \`contract-test run --help\` explains each.\n${stringify(config)}`;
}

function mustFit(flags: InitFlags): void {
  if (flags.ci === 'gitlab' && flags.image !== undefined)
    throw new UsageError(
      '--ci gitlab writes a job that runs in a container, where no podman or docker can start --image. Name what starts the runner, --command "python3 runner.py", and let the job run in an image that holds it and Node.js; or write --ci none, and call `contract-test run` in a job of a GitLab runner with the shell executor and podman or docker',
    );
  const named = [flags.command, flags.url, flags.image].filter((one) => one !== undefined);
  if (named.length !== 1)
    throw new UsageError(
      'name the runner: --command "python3 runner.py", --image my-runner, or --url http://127.0.0.1:3000',
    );
}

/** `contract-test init`: writes a configuration and, for a CI system, what runs it there. Overwrites nothing unless told to. */
export async function initCommand(flags: InitFlags, { out, cwd: folder }: Terminal): Promise<number> {
  const { ci = 'github', force = false, json = false } = flags;
  const workflows = Object.hasOwn(WORKFLOWS, ci) ? WORKFLOWS[ci] : undefined;
  if (!workflows) throw new UsageError(`--ci takes ${Object.keys(WORKFLOWS).join(', ')}, not "${ci}"`);
  mustFit(flags);
  const files = [[CONFIG_FILE, configText(flags)] as const, ...workflows];
  const there = files.map(([path]) => path).filter((path) => existsSync(join(folder, path)));
  if (there.length > 0 && !force)
    throw new UsageError(`there already: ${there.join(', ')}; --force writes over it`);
  for (const [path, text] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const written = files.map(([path]) => path);
  if (json) out(`${JSON.stringify({ written }, null, 2)}\n`);
  else {
    out(written.map((path) => `wrote ${path}\n`).join(''));
    if (ci === 'gitlab') out('include it in .gitlab-ci.yml:  include: contract.gitlab-ci.yml\n');
    out('next  npx contract-test run\n');
  }
  return EXIT.conformant;
}
