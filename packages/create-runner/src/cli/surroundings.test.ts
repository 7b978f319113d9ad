import { describe, expect, it } from 'vitest';
import { nextCommands, quoted } from './commands-to-type.js';
import { parseArguments } from './parse-arguments.js';
import { completeAnswers } from './resolve-answers.js';
import { environmentForTools, mayAsk, startedBy } from './surroundings.js';

const controls = (...argv: string[]) => parseArguments(argv).controls;

describe('asking', () => {
  it('happens at a terminal', () => {
    expect(mayAsk({ env: {}, terminal: true }, controls())).toBe(true);
    expect(mayAsk({ env: { CI: 'false' }, terminal: true }, controls())).toBe(true);
  });

  it.each([
    ['without a terminal', { env: {}, terminal: false }, controls()],
    ['with CI set', { env: { CI: '1' }, terminal: true }, controls()],
    ['with --yes', { env: {}, terminal: true }, controls('--yes')],
    ['with --no-interactive', { env: {}, terminal: true }, controls('--no-interactive')],
    ['with --json', { env: {}, terminal: true }, controls('--json')],
  ])('never happens %s', (_, surroundings, given) => {
    expect(mayAsk(surroundings, given)).toBe(false);
  });
});

describe('the package manager', () => {
  it.each([
    ['pnpm/10.34.9 npm/? node/v20.20.2 linux x64', 'pnpm'],
    ['yarn/1.22.22 npm/? node/v20.20.2 linux x64', 'yarn'],
    ['bun/1.3.0 npm/? node/v24.3.0 linux x64', 'bun'],
    ['npm/10.8.2 node/v20.20.2 linux x64 workspaces/false', 'npm'],
    ['deno/2.5.0', 'npm'],
  ])('of %s is %s', (agent, name) => {
    expect(startedBy({ cwd: '/', env: { npm_config_user_agent: agent } })).toBe(name);
  });

  it('is npm where nothing says otherwise', () => {
    expect(startedBy({ cwd: '/', env: {} })).toBe('npm');
  });

  it('does not hear what the one that started us says to its scripts, but keeps the registry', () => {
    const env = {
      PATH: '/bin',
      npm_config_cache: '/c',
      npm_lifecycle_event: 'x',
      INIT_CWD: '/',
      npm_config_registry: 'http://r',
    };
    expect(environmentForTools(env)).toEqual({ PATH: '/bin', npm_config_registry: 'http://r' });
  });
});

describe('the commands to type next', () => {
  const answers = (given: object) =>
    completeAnswers({ given: { name: 'images', ...given }, startedBy: 'npm' });

  it('end with a job', () => {
    expect(nextCommands({ answers: answers({}), installed: false })).toEqual([
      'cd images',
      'npm install',
      'npm run dev',
      `npx jobforge job submit hello.greet '{"name":"Ada"}' --follow`,
    ]);
  });

  it('leave away what is done and where one is already', () => {
    expect(nextCommands({ answers: answers({ dir: '.', pm: 'pnpm' }), installed: true })).toEqual([
      'pnpm run dev',
      `pnpm exec jobforge job submit hello.greet '{"name":"Ada"}' --follow`,
    ]);
  });

  it.each([
    ['plain/path-1.2', 'plain/path-1.2'],
    ['my folder', "'my folder'"],
    ["it's", String.raw`'it'\''s'`],
    ['$(reboot)', "'$(reboot)'"],
  ])('quote %s for a shell', (word, text) => {
    expect(quoted(word)).toBe(text);
  });

  it('cannot be misread as an option of cd', () => {
    expect(nextCommands({ answers: answers({ dir: '-x' }), installed: true })[0]).toBe('cd ./-x');
  });
});
