import type { RunnerCapability } from '@controlplane/contracts';
import { NotEvaluable } from '../case/verdict.js';
import type { Subject } from '../case/case.js';
import type { RunnerDescription } from '../harness/runner-description.js';
import { generateInput } from './generate-input.js';
import { valueFaults } from './json-schema-check.js';

type Inputs = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Inputs of the fixtures: quick and harmless. */
const FIXTURE_INPUTS: Inputs = {
  'conformance.echo': { text: 'hello' },
  'conformance.sleep': { ms: 1 },
  'conformance.progress': { steps: 3 },
  'conformance.logs': { lines: 3 },
  'conformance.big': { bytes: 1_000 },
};

/** Fixtures that end as something other than a success on purpose, or get in the way of everything else. */
const NEVER_SUBJECTS = new Set([
  'conformance.fail',
  'conformance.crash',
  'conformance.stubborn',
  'conformance.block',
]);

export interface SubjectOptions {
  readonly seed: number;
  /** Inputs that the user gave, by capability id. */
  readonly inputs: Inputs;
  /** Capabilities that write and may be called with any input. */
  readonly allowWrites: readonly string[];
  /** Capabilities that are never called. */
  readonly leaveOut: readonly string[];
}

/** A capability may be called `constructor`. */
const own = (inputs: Inputs, id: string): Inputs[string] | undefined =>
  Object.hasOwn(inputs, id) ? inputs[id] : undefined;

function subjectOf(capability: RunnerCapability, options: SubjectOptions): Subject | undefined {
  const { seed, inputs, allowWrites } = options;
  const fixed = capability.effects === 'writes' && !allowWrites.includes(capability.id);
  const given = own(inputs, capability.id) ?? own(FIXTURE_INPUTS, capability.id);
  if (given) return { capability, input: given, fixed };
  const made = generateInput(capability.inputSchema, seed);
  if (typeof made !== 'object' || made === null || Array.isArray(made)) return undefined;
  if (valueFaults(capability.inputSchema, made).length > 0) return undefined;
  return { capability, input: made as Record<string, unknown>, fixed };
}

/**
 * The capabilities that may be called, each with an input that its schema accepts: `conformance.echo`
 * first. One that writes is called only with an input that the user gave.
 * @throws NotEvaluable when there is none
 */
export function chooseSubjects(description: RunnerDescription, options: SubjectOptions): readonly Subject[] {
  const mayCall = ({ id, effects }: RunnerCapability): boolean =>
    effects !== 'writes' || own(options.inputs, id) !== undefined || options.allowWrites.includes(id);
  const callable = description.capabilities.filter(
    (capability) =>
      !NEVER_SUBJECTS.has(capability.id) && !options.leaveOut.includes(capability.id) && mayCall(capability),
  );
  const subjects = callable.flatMap((capability) => subjectOf(capability, options) ?? []);
  const first = (subject: Subject): number =>
    own(options.inputs, subject.capability.id) ? 0 : subject.capability.id === 'conformance.echo' ? 1 : 2;
  if (subjects.length > 0) return subjects.toSorted((left, right) => first(left) - first(right));
  if (description.source === 'nowhere') {
    throw new NotEvaluable(
      'the capabilities of the runner are not known: it serves no manifest, and no valid registration of it was seen (with --url, use --control-plane-port)',
    );
  }
  if (description.capabilities.length === 0) throw new NotEvaluable('the runner declares no capability');
  throw new NotEvaluable(
    callable.length === 0
      ? `every capability writes or is left out; name an input that may be run: --input '${description.capabilities[0]?.id}={…}'`
      : `no valid input could be made from the schema of ${callable[0]?.id}; give one: --input '${callable[0]?.id}={…}'`,
  );
}
