import type { Delivery, TemplateName } from './templates.js';
import { templateOf } from './templates.js';

/** What is decided about a project and stays with it: an upgrade renders the template with the same. */
export interface ProjectAnswers {
  readonly name: string;
  readonly description: string;
  readonly template: TemplateName;
  readonly delivery: Delivery;
  readonly port: number;
  readonly pm: 'npm' | 'pnpm' | 'yarn' | 'bun';
}

/** How each package manager is typed. */
export interface Commands {
  /** Runs a script of the project: `npm run`. */
  readonly run: string;
  /** Runs a command that a dependency brings: `npx`. */
  readonly execute: string;
  /** Installs: `npm install`. */
  readonly install: string;
}

/** The script that judges the runner. */
function contractCommand({ template: name, delivery }: ProjectAnswers): string {
  const { language, capability, judgedWith } = templateOf(name);
  const input = judgedWith === undefined ? '' : ` --input '${capability.id}=${judgedWith}'`;
  if (language === 'Python') return `contract-test run --command "python3 runner.py"${input}`;
  const dialsIn = delivery === 'push' ? '' : ` --delivery ${delivery}`;
  return `tsc -p tsconfig.build.json && contract-test run --command "node dist/index.js"${dialsIn}${input}`;
}

/** What the texts of a template may name. */
export function projectData(
  answers: ProjectAnswers,
  options: { commands: Commands; local: boolean },
): object {
  const template = templateOf(answers.template);
  const { capability, job, setup } = template;
  const isPython = template.language === 'Python';
  const submit = `${options.commands.execute} jobforge job submit ${capability.id} '${job.input}' --follow`;
  return {
    ...answers,
    ...options.commands,
    local: options.local,
    npm: answers.pm === 'npm',
    push: answers.delivery === 'push',
    typescript: !isPython,
    python: isPython,
    hello: capability.id === 'hello.greet',
    shell: answers.template === 'shell',
    script: answers.template === 'script',
    container: answers.template === 'container',
    capability,
    job,
    setup,
    program: isPython ? '/usr/bin/python3 runner.py' : '/usr/bin/node dist/index.js',
    contract: contractCommand(answers),
    // A text in the program that dev.mjs is.
    tryLine: JSON.stringify(`try        ${submit}`),
  };
}
