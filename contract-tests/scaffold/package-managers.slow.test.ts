import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { endCommands } from './commands.js';
import { installPackageManager, PACKAGE_MANAGERS } from './package-managers.js';
import { proveScripts, runFirstJob } from './run-template.js';
import { openScaffoldingRoom, type ScaffoldingRoom } from './scaffolding-room.js';

const LOCKFILES = { pnpm: 'pnpm-lock.yaml', yarn: 'yarn.lock', bun: 'bun.lock' };
let room: ScaffoldingRoom;
/** Why there is nothing to test with, where that is so. */
let offline: string | undefined;

beforeAll(async () => {
  room = await openScaffoldingRoom();
  offline = await room.install(await room.scaffold('with-npm', '--no-git'));
});
afterEach(endCommands);
afterAll(() => room.close());

describe.each(PACKAGE_MANAGERS)('a project of %s', (name) => {
  it('is installed, type-checked, built, tested, judged and started by it, and runs its first job', async (context) => {
    if (offline !== undefined) return context.skip(offline);
    const manager = await installPackageManager(name, room.folder);
    const { command } = manager as { command: keyof typeof LOCKFILES };
    const folder = `by-${name.replace(' ', '-')}`;
    const project = await room.scaffold(folder, '--pm', command, '--no-git');
    expect(await room.install(project, manager)).toBeUndefined();
    expect(existsSync(join(project, LOCKFILES[command]))).toBe(true);
    await proveScripts(project, { manager });
    const said = await runFirstJob(project, { manager });
    expect(said).toMatch(/completed in[^]*Hello, Ada/);
  });
});
