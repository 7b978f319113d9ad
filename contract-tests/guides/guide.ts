/**
 * @module
 * A guide of docs/guides followed as it stands: its programs are written, what stays is started, its commands are typed
 * in order, and what it shows is looked for in what they say. The packages are those of this checkout.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../end-to-end/processes.js';
import { attempt, endCommands, launch } from '../scaffold/commands.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
/** The ports that the guides name: of JobForge, and of a service. */
const PORTS = ['3002', '8080'] as const;
/** What a process says once it can be used. */
const READY = /http:\/\/|"msg":"registered"/;

interface Block {
  readonly language: string;
  /** The rest of the line that opens it. */
  readonly word: string;
  readonly text: string;
}

function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\w+) ?(\S*)\n([^]*?)^```$/gm)].map(
    ([, language = '', word = '', text = '']) => ({ language, word, text }),
  );
}

/** A folder in which `npx jobforge` and the packages are those of this checkout. */
function openFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'guide-'));
  mkdirSync(join(folder, 'node_modules'));
  const link = (modules: string, name: string): void =>
    symlinkSync(join(modules, name), join(folder, 'node_modules', name));
  for (const name of ['@controlplane', 'zod']) link(here('../node_modules'), name);
  link(here('../../packages/runner-sdk/node_modules'), 'express');
  mkdirSync(join(folder, 'bin'));
  const jobforge = here('../../packages/jobforge/bin/jobforge.js');
  const npx = `#!/bin/sh\n[ "$1" = jobforge ] || exit 127\nshift\nexec '${process.execPath}' '${jobforge}' "$@"\n`;
  writeFileSync(join(folder, 'bin/npx'), npx, { mode: 0o755 });
  return folder;
}

/** A line that is shown and was not said, in order; `…` stands for any text. */
function missingLine(shown: string, said: string): string | undefined {
  let at = 0;
  return shown
    .split('\n')
    .filter(Boolean)
    .find((line) => {
      const found = said.indexOf(line.split('…')[0] ?? '', at);
      at = found + 1;
      return found < 0;
    });
}

/**
 * Follows the guide of that name; throws where it does not do what it says.
 * @param variables - of every command
 */
export async function followGuide(
  name: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<void> {
  const folder = openFolder();
  const ports = await Promise.all(PORTS.map(() => freePort()));
  const withPorts = (text: string): string =>
    PORTS.reduce((changed, port, index) => changed.replaceAll(port, String(ports[index])), text);
  const env = {
    ...variables,
    JOBFORGE_URL: `http://127.0.0.1:${ports[0]}`,
    PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
  };
  const typed = { cwd: folder, env };
  const exported: string[] = [];
  let said = '';
  const program = (text: string): string => [...exported, withPorts(text)].join('\n');
  const type = async (text: string): Promise<void> => {
    const { code, output } = await attempt('sh', ['-e', '-c', program(text)], typed);
    if (code !== 0) throw new Error(`${name}: "${text.trim()}" ended with ${code}:\n${output}`);
    exported.push(...text.split('\n').filter((line) => line.startsWith('export ')));
    said = output;
  };
  const look = (shown: string): void => {
    const missing = missingLine(shown, said);
    if (missing !== undefined) throw new Error(`${name}: "${missing}" is shown, and said was:\n${said}`);
  };
  try {
    for (const { language, word, text } of blocksOf(
      readFileSync(here(`../../docs/guides/${name}`), 'utf8'),
    )) {
      if (language === 'js') writeFileSync(join(folder, word), withPorts(text));
      else if (language === 'text') look(text);
      else if (word === 'stays') await launch('sh', ['-c', program(text)], typed).line(READY);
      else await type(text);
    }
  } finally {
    endCommands();
    rmSync(folder, { recursive: true, force: true });
  }
}
