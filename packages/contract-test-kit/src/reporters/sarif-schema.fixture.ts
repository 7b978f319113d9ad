const text = { type: 'string' };
const object = (properties: Record<string, unknown>, ...required: string[]) => ({
  type: 'object',
  additionalProperties: false,
  properties,
  required,
});
const list = (items: unknown) => ({ type: 'array', items });
const message = {
  ...object({ text, markdown: text, id: text, arguments: list(text) }),
  anyOf: [{ required: ['text'] }, { required: ['id'] }],
};
const multiformat = object({ text, markdown: text }, 'text');
const level = { enum: ['none', 'note', 'warning', 'error'] };
const bag = { type: 'object', properties: { tags: { ...list(text), uniqueItems: true } } };
const index = { type: 'integer', minimum: -1 };
const reference = {
  ...object({ id: text, index, guid: text, toolComponent: { type: 'object' } }),
  anyOf: [{ required: ['index'] }, { required: ['guid'] }, { required: ['id'] }],
};

const rule = object(
  {
    id: text,
    name: text,
    shortDescription: multiformat,
    fullDescription: multiformat,
    help: multiformat,
    helpUri: { type: 'string', format: 'uri' },
    defaultConfiguration: object({ enabled: { type: 'boolean' }, level, rank: { type: 'number' } }),
    properties: bag,
  },
  'id',
);
const physicalLocation = object({
  artifactLocation: object({ uri: { type: 'string', format: 'uri-reference' }, uriBaseId: text, index }),
  region: object({
    startLine: { type: 'integer', minimum: 1 },
    startColumn: { type: 'integer', minimum: 1 },
  }),
});
const result = object(
  {
    ruleId: text,
    ruleIndex: index,
    kind: { enum: ['notApplicable', 'pass', 'fail', 'review', 'open', 'informational'] },
    level,
    message,
    locations: list(
      object({
        physicalLocation,
        logicalLocations: list(object({ name: text, fullyQualifiedName: text, kind: text })),
      }),
    ),
    partialFingerprints: { type: 'object', additionalProperties: text },
    suppressions: list(
      object(
        {
          kind: { enum: ['inSource', 'external'] },
          status: { enum: ['accepted', 'underReview', 'rejected'] },
          justification: text,
        },
        'kind',
      ),
    ),
  },
  'message',
);
const notification = object(
  { level, message, associatedRule: reference, descriptor: reference, timeUtc: text },
  'message',
);
const invocation = object(
  {
    executionSuccessful: { type: 'boolean' },
    startTimeUtc: { type: 'string', format: 'date-time' },
    exitCode: { type: 'integer' },
    toolExecutionNotifications: list(notification),
  },
  'executionSuccessful',
);

/** The parts of the SARIF 2.1.0 schema that are used here, as strict as it is: unknown members are refused. */
export const SARIF_SCHEMA = object(
  {
    $schema: { type: 'string', format: 'uri' },
    version: { const: '2.1.0' },
    runs: list(
      object(
        {
          tool: object(
            {
              driver: object({ name: text, version: text, informationUri: text, rules: list(rule) }, 'name'),
            },
            'driver',
          ),
          automationDetails: object({ id: text, guid: text }),
          invocations: list(invocation),
          results: list(result),
        },
        'tool',
      ),
    ),
  },
  'version',
  'runs',
);
