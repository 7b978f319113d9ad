/** How jobs reach a project's runner. */
export const DELIVERIES = ['push', 'websocket', 'long-poll'] as const;
export type Delivery = (typeof DELIVERIES)[number];

/** What a project's first capability is called where it is named. */
export interface TemplateCapability {
  readonly id: string;
  /** Its file, without the extension. */
  readonly file: string;
  readonly variable: string;
  /** As it stands among the runner's capabilities. */
  readonly expression: string;
}

/** What a runner looks for on its machine before it starts. */
export interface TemplateSetup {
  readonly imports: string;
  /** The subpath of @controlplane/capabilities. */
  readonly from: string;
  readonly line: string;
  readonly labels: string;
}

export interface Template {
  /** For `--help` and the prompt. */
  readonly summary: string;
  readonly language: 'TypeScript' | 'Python';
  readonly delivery: Delivery;
  /** Folders of templates/, in order: a file of a later one stands in place of the same file of an earlier one. */
  readonly layers: readonly string[];
  /** The default of `--description`. */
  readonly description: string;
  readonly capability: TemplateCapability;
  /** The first job: its input as JSON, and a part of its result as it is printed. */
  readonly job: { readonly input: string; readonly shows: string };
  readonly setup?: TemplateSetup;
  /** Needs an input to be judged with: the kit makes none up for what writes, or for what not every input fits. */
  readonly judgedWith?: string;
}

const hello = {
  language: 'TypeScript',
  layers: ['project', 'image', 'typescript', 'hello'],
  description: 'A runner that greets people by name.',
  capability: { id: 'hello.greet', file: 'hello-greet', variable: 'helloGreet', expression: 'helloGreet' },
  job: { input: '{"name":"Ada"}', shows: '{"message":"Hello, Ada"}' },
} as const;

/** Every template, in the order in which they are offered; the first is the default. */
export const TEMPLATES = {
  'http-service': { ...hello, delivery: 'push', summary: 'a service that JobForge calls over HTTP' },
  'dial-out': {
    ...hello,
    delivery: 'websocket',
    summary: 'dials out by WebSocket: works behind any firewall',
  },
  'long-poll': {
    ...hello,
    delivery: 'long-poll',
    summary: 'asks for jobs over plain HTTP, through any proxy',
  },
  shell: {
    language: 'TypeScript',
    delivery: 'websocket',
    layers: ['project', 'image', 'typescript', 'shell'],
    summary: 'runs commands that look and change nothing',
    description: 'A runner that looks at files and at the state of its machine.',
    capability: {
      id: 'shell.readonly',
      file: 'shell-readonly',
      variable: 'shellReadonly',
      expression: 'shellReadonly',
    },
    job: { input: '{"argv":["cat","welcome.txt"]}', shows: '"stdout":"Hello, Ada\\n"' },
    judgedWith: '{"argv":["date"]}',
  },
  script: {
    language: 'TypeScript',
    delivery: 'websocket',
    layers: ['project', 'image', 'typescript', 'script'],
    summary: 'runs scripts in node, python, bash and PowerShell',
    description: 'A runner that runs scripts.',
    capability: {
      id: 'script.run',
      file: 'script-run',
      variable: 'scriptRun',
      expression: 'scriptRun(interpreters)',
    },
    job: {
      input: '{"language":"node","code":"job.return(job.input.a * 2)","input":{"a":21}}',
      shows: '"data":42',
    },
    setup: {
      imports: 'findInterpreters',
      from: 'script',
      line: 'const interpreters = await findInterpreters();',
      labels: 'interpreters.labels',
    },
    judgedWith: '{"language":"node","code":"job.return(1)"}',
  },
  container: {
    language: 'TypeScript',
    delivery: 'websocket',
    // No image: it runs beside the engine whose containers it starts.
    layers: ['project', 'typescript', 'container'],
    summary: 'runs containers with podman or docker',
    description: 'A runner that runs containers.',
    capability: {
      id: 'container.run',
      file: 'container-run',
      variable: 'containerRun',
      expression: 'containerRun(engine)',
    },
    job: {
      input: '{"image":"docker.io/library/alpine:3.20","command":["echo","Hello, Ada"]}',
      shows: '"stdout":"Hello, Ada\\n"',
    },
    setup: {
      imports: 'findEngine',
      from: 'container',
      line: 'const engine = await findEngine();',
      labels: 'engine.labels',
    },
    judgedWith: '{"image":"docker.io/library/alpine:3.20","command":["echo","Hello, Ada"]}',
  },
  python: {
    ...hello,
    language: 'Python',
    delivery: 'push',
    layers: ['project', 'image', 'python'],
    summary: 'a service in Python, with its standard library alone',
  },
} as const satisfies Record<string, Template>;

export type TemplateName = keyof typeof TEMPLATES;
export const TEMPLATE_NAMES = Object.keys(TEMPLATES) as TemplateName[];
export const DEFAULT_TEMPLATE: TemplateName = 'http-service';

/** How jobs may reach a runner of that template: the one in Python serves HTTP alone. */
export function deliveriesOf(name: TemplateName): readonly Delivery[] {
  return templateOf(name).language === 'Python' ? ['push'] : DELIVERIES;
}

/** The template of that name. */
export function templateOf(name: TemplateName): Template {
  return TEMPLATES[name];
}

/** Folders of templates/ that are written into a project that exists. */
export const ADDITIONS = ['capability-python', 'capability-typescript', 'express'] as const;
