import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../end-to-end/processes.js';
import { endCommands, launch, succeed } from './commands.js';
import { openScaffoldingRoom, type ScaffoldingRoom } from './scaffolding-room.js';

/** Each template but http-service, which has tests of its own → what its first job prints. */
const TEMPLATES = {
  'dial-out': 'Hello, Ada',
  'long-poll': 'Hello, Ada',
  shell: 'Hello, Ada',
  script: '"data":42',
};

let room: ScaffoldingRoom;

beforeAll(async () => {
  room = await openScaffoldingRoom();
});
afterEach(endCommands);
afterAll(() => room.close());

/** The command in the last block of the README, as a shell reads it. */
function lastCommand(project: string): string {
  const blocks = [...readFileSync(join(project, 'README.md'), 'utf8').matchAll(/```\n([^`]+)\n```/g)];
  return blocks.at(-1)?.[1] ?? '';
}

describe.each(Object.entries(TEMPLATES))('a project of %s', (template, result) => {
  it('passes its tests and its contract test, starts, and runs the last command of its README', async (context) => {
    const project = await room.scaffold(`my-${template}`, '--template', template, '--no-git');
    const offline = await room.install(project);
    if (offline !== undefined) context.skip(offline);
    const isTyped = existsSync(join(project, 'tsconfig.json'));
    const scripts = ['test', 'contract', ...(isTyped ? ['typecheck'] : [])];
    const [, contract] = await Promise.all(
      scripts.map((script) => succeed('npm', ['run', script], { cwd: project })),
    );
    expect(contract?.output).toMatch(/\b0 failed/);

    const env = { JOBFORGE_PORT: String(await freePort()), PORT: String(await freePort()) };
    const dev = launch('npm', ['run', 'dev'], { cwd: project, env });
    await dev.line(new RegExp(`^my-${template} {2}ready`));
    const url = `http://127.0.0.1:${env.JOBFORGE_PORT}`;
    const job = await succeed('sh', ['-c', lastCommand(project)], {
      cwd: project,
      env: { JOBFORGE_URL: url },
    });
    expect(job.stdout).toMatch(/completed in/);
    expect(job.stdout).toContain(result);
    expect([0, null]).toContain(await dev.interrupt());
  });
});
