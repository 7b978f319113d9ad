// The `contract-test` command. Nothing imports this file.
import { main } from './cli/main.js';
import { stopRunnersOnExit } from './cli/signals.js';

stopRunnersOnExit();
process.exitCode = await main(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  // Carriage return, text, erase the rest of the line.
  progress: process.stderr.isTTY ? (text) => void process.stderr.write(`\r${text}\u001b[K`) : undefined,
  color: process.stdout.isTTY === true && !process.env['NO_COLOR'],
  cwd: process.cwd(),
  environment: process.env,
});
