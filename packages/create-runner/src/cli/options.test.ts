import { describe, expect, it } from 'vitest';
import { flagText, helpText } from './help.js';
import { ANSWER_NAMES, ANSWER_OPTIONS, CONTROL_NAMES } from './options.js';
import { parseArguments } from './parse-arguments.js';
import { questionsFor } from './prompts.js';
import { completeAnswers } from './resolve-answers.js';

const EXAMPLES = {
  name: 'images',
  dir: './elsewhere',
  template: 'shell',
  delivery: 'long-poll',
  description: 'Resizes images.',
  port: 4000,
  pm: 'pnpm',
  install: true,
  git: false,
} as const;

const asFlags = (name: keyof typeof EXAMPLES): string[] => {
  const value = EXAMPLES[name];
  if (typeof value === 'boolean') return [value ? `--${name}` : `--no-${name}`];
  return [`--${name}`, String(value)];
};

describe('the option table', () => {
  it('has a flag for every prompt and a prompt for every answer', () => {
    const prompts = questionsFor({ given: {}, startedBy: 'npm' }).map((question) => question.name);
    expect(prompts).toEqual(ANSWER_NAMES);
    for (const name of prompts) {
      const { given } = parseArguments(asFlags(name));
      expect(given).toEqual({ [name]: EXAMPLES[name] });
    }
  });

  it.each(ANSWER_NAMES)('does not ask for %s once its flag says it', (name) => {
    const { given } = parseArguments(asFlags(name));
    expect(questionsFor({ given, startedBy: 'npm' }).map((question) => question.name)).not.toContain(name);
  });

  it('shows every flag in the help, one line each', () => {
    const lines = helpText('1.2.3').split('\n');
    for (const name of [...ANSWER_NAMES, ...CONTROL_NAMES]) {
      expect(lines.filter((line) => line.trim().startsWith(flagText(name)))).toHaveLength(1);
    }
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(110);
  });

  it('shows every default in the help as it is', () => {
    const defaults = completeAnswers({ given: { name: 'x' }, startedBy: 'npm' });
    expect(helpText('1.2.3')).toContain(`(default: ${defaults.template})`);
    expect(helpText('1.2.3')).toContain(`(default: ${defaults.port})`);
    expect(defaults).toMatchObject({ install: false, git: true, dir: './x', pm: 'npm' });
  });

  it('gives a prompt the same default as the flag that is left away', () => {
    const defaults = completeAnswers({ given: { name: 'x' }, startedBy: 'yarn' });
    for (const question of questionsFor({ given: { name: 'x' }, startedBy: 'yarn' })) {
      expect(question.default({})).toBe(defaults[question.name]);
    }
  });

  it('checks what is typed at a prompt as it checks the flag', () => {
    const questions = questionsFor({ given: {}, startedBy: 'npm' });
    const validate = (name: string, typed: string) =>
      questions.find((question) => question.name === name)?.validate?.(typed);
    expect(validate('name', 'My Runner')).toContain('Try my-runner');
    expect(validate('name', 'my-runner')).toBe(true);
    expect(validate('port', '70000')).toContain('1 to 65535');
  });

  it('refuses with the flag named when nobody can be asked for a value without a default', () => {
    expect(() => completeAnswers({ given: {}, startedBy: 'npm' })).toThrow(
      expect.objectContaining({ exitCode: 2, flag: '--name' }),
    );
  });
});

describe('a command line', () => {
  it.each([[['--', 'images']], [['images', '--', '--port', '4000']], [['--', '--', 'images']]])(
    'is read without the stray -- in %j',
    (argv) => {
      expect(parseArguments(argv).given).toMatchObject({ name: 'images' });
    },
  );

  it.each([
    [['--nmae', 'x'], /--nmae/],
    [['a', 'b'], /"b" is one argument too many/],
    [['a', '--name', 'b'], /Two names/],
    [['--port'], /--port/],
    [['--port', '0'], /--port: "0"/],
    [['--port', '65536'], /--port/],
    [['--port', '1e3'], /--port/],
    [['--pm', 'cargo'], /npm, pnpm, yarn, bun/],
    [['--description', 'two\nlines'], /one line/],
    [['--description', 'x'.repeat(201)], /201 characters/],
    [['--dir', ''], /--dir/],
    [['--install=yes'], /--install/],
  ])('%j is a usage error', (argv, message) => {
    expect(() => parseArguments(argv)).toThrow(
      expect.objectContaining({ exitCode: 2, message: expect.stringMatching(message) }),
    );
  });

  it.each([
    ['/tmp/x/r0', { name: 'r0', dir: '/tmp/x/r0' }],
    ['./r0/', { name: 'r0', dir: './r0/' }],
    ['../up', { name: 'up', dir: '../up' }],
  ])('takes the path %s for a name and its folder', (path, given) => {
    expect(parseArguments([path]).given).toEqual(given);
  });

  it.each([
    [['/x/My Runner'], /Try my-runner --dir '\/x\/My Runner'/],
    [['/x/r0', '--dir', 'y'], /Two folders[^]*Try r0 --dir y/],
    [['@me/runner'], /not a runner's name/],
    [['--name', 'x/r0'], /not a runner's name/],
  ])('refuses %j as a name', (argv, message) => {
    expect(() => parseArguments(argv)).toThrow(
      expect.objectContaining({ exitCode: 2, message: expect.stringMatching(message) }),
    );
  });

  it('never takes --yes for --force', () => {
    expect(parseArguments(['x', '--yes']).controls).toMatchObject({ yes: true, force: false });
  });

  it.each(ANSWER_NAMES.filter((name) => ANSWER_OPTIONS[name].kind === 'switch'))(
    'knows both --%s and its negation',
    (name) => {
      expect(parseArguments([`--${name}`]).given).toEqual({ [name]: true });
      expect(parseArguments([`--no-${name}`]).given).toEqual({ [name]: false });
    },
  );
});
