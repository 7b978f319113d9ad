import { runCli } from './cli/run-cli.js';

process.exitCode = await runCli(process.argv.slice(2), {
  environment: process.env,
  write: (line) => console.log(line),
  writeError: (line) => console.error(line),
});
