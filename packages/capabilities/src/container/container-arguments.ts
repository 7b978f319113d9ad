import type { ContainerInput } from './container-input.js';
import type { AllowedContainer } from './container-permissions.js';
import type { Engine } from './engine.js';

/** Folders in every container. */
export const INPUT_FOLDER = '/job/input';
export const OUTPUT_FOLDER = '/job/output';

/** One container, decided. */
export interface ContainerPlan {
  readonly name: string;
  readonly input: ContainerInput;
  readonly allowed: AllowedContainer;
  /** Folders of this machine. */
  readonly inputFolder: string;
  readonly outputFolder: string;
  /** Files with variables. */
  readonly envFiles: readonly string[];
  /** Variables whose values the engine takes from its own environment: those with line breaks. */
  readonly passedOn: readonly string[];
}

const bind = (source: string, target: string, readonly: boolean): string =>
  `--volume=${source}:${target}${readonly ? ':ro' : ''}`;

/** The engine's own word first: what is given after the image belongs to the container. */
export function createArguments({ kind }: Pick<Engine, 'kind'>, plan: ContainerPlan): readonly string[] {
  const { input, allowed } = plan;
  const { memoryBytes, cpus, processes } = allowed.limits;
  const option = (name: string, value: string | number | undefined): readonly string[] =>
    value === undefined ? [] : [`--${name}=${value}`];
  return [
    'create',
    `--name=${plan.name}`,
    `--label=controlplane.execution=${plan.name}`,
    // What it prints is read as it comes, and kept nowhere else.
    '--log-driver=none',
    '--security-opt=no-new-privileges',
    // Podman would hand its proxies, with their passwords, to the container.
    ...(kind === 'podman' ? ['--http-proxy=false'] : []),
    `--pull=${input.pull ?? 'missing'}`,
    `--network=${allowed.network}`,
    ...option('memory', memoryBytes),
    // Without this, what exceeds memory goes to the swap.
    ...option('memory-swap', memoryBytes),
    ...option('cpus', cpus),
    ...option('pids-limit', processes),
    ...option('user', input.user),
    ...option('workdir', input.workdir),
    ...option('entrypoint', input.entrypoint),
    ...(input.stdin === undefined ? [] : ['--interactive']),
    ...plan.envFiles.map((file) => `--env-file=${file}`),
    ...plan.passedOn.map((name) => `--env=${name}`),
    bind(plan.inputFolder, INPUT_FOLDER, true),
    bind(plan.outputFolder, OUTPUT_FOLDER, false),
    ...allowed.mounts.map(({ source, target, readonly = true }) => bind(source, target, readonly)),
    input.image,
    ...(input.command ?? []),
  ];
}
