import { CONTRACT_SCHEMAS } from '@controlplane/contracts';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { JSON_OUTPUT } from './json-output.js';

const contractNames = new Map<z.ZodType, string>(
  Object.entries(CONTRACT_SCHEMAS).map(([name, schema]) => [schema, name]),
);

const LINES: ReadonlySet<string> = new Set(['dev', 'serve', 'job submit --follow', 'job logs']);

function linkOf(schema: z.ZodType): string | undefined {
  const name = contractNames.get(schema);
  if (name !== undefined) return `[${name}](../packages/contracts/schemas/${name}.json)`;
  if (!(schema instanceof z.ZodArray)) return undefined;
  const element = linkOf(schema.element as z.ZodType);
  return element === undefined ? undefined : `a list of ${element}`;
}

function shapeOf(schema: z.ZodType): string {
  const link = linkOf(schema);
  if (link !== undefined) return `${link}\n`;
  const registry = z.registry<{ id: string }>();
  for (const [contract, id] of contractNames) registry.add(contract, { id });
  const shape = z.toJSONSchema(schema, {
    metadata: registry,
    // What is printed has gone through the schema; its input form alone can be written down.
    io: 'input',
    override: ({ jsonSchema }) => {
      if (jsonSchema.format === 'date-time') delete jsonSchema.default;
    },
  });
  const { $defs: _defs, $schema: _schema, ...own } = shape as Record<string, unknown>;
  const text = JSON.stringify(own, undefined, 1)
    .replaceAll('#/$defs/', 'packages/contracts/schemas/')
    .replaceAll(/\n\s*/g, ' ');
  return `\`\`\`json\n${text}\n\`\`\`\n`;
}

function documented(): string {
  const sections = Object.entries(JSON_OUTPUT).map(
    ([command, schema]) =>
      `## jobforge ${command}\n\n${LINES.has(command) ? 'A line each:\n\n' : ''}${shapeOf(schema)}`,
  );
  return `# What \`jobforge … --json\` prints

One document on one line, or a line each where it says so. The shapes stay: members are added, none goes.
Where a command fails, it prints \`{"success":false,"error":…}\` instead, with an
[ErrorEnvelope](../packages/contracts/schemas/ErrorEnvelope.json), and ends with the exit code that \`--help\` names.
A test keeps this page identical to the code.

${sections.join('\n')}`;
}

it('docs/jobforge-json.md says what every command prints (npx vitest run -u writes it)', async () => {
  await expect(documented()).toMatchFileSnapshot('../../../../docs/jobforge-json.md');
});
