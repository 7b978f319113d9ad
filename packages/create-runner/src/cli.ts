import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { main } from './cli/main.js';
import { EXIT } from './errors/create-runner-error.js';

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

// Until a project stands: a prompt whose terminal goes away ends the process without coming back here.
process.exitCode = EXIT.failed;
process.exitCode = await main({
  argv: process.argv.slice(2),
  env: process.env,
  cwd: process.cwd(),
  terminal: process.stdin.isTTY && process.stdout.isTTY,
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  elapsedMs: () => performance.now(),
  version: manifest.version,
  templates: fileURLToPath(new URL('./templates', import.meta.url)),
});
