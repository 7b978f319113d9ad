import { expect, it } from 'vitest';
import { ERROR_CODES } from './error-codes.js';

const INTRO = `# Error codes

Every code that the contract itself defines. An error crosses a wire as an \`ErrorEnvelope\`; its \`code\` decides
category, severity, HTTP status and whether the same request may succeed later without being changed.
Capabilities may add codes of their own: those are answered with status 500.

This page is made from \`ERROR_CODES\` of \`@controlplane/contracts\`; a test fails while they differ.
`;

function errorDocs(): string {
  const entries = Object.entries(ERROR_CODES);
  const rows = entries.map(
    ([code, { category, severity, httpStatus, retryable }]) =>
      `| [${code}](#${code.toLowerCase()}) | ${httpStatus} | ${category} | ${severity} | ${retryable ? 'yes' : 'no'} |`,
  );
  const table = ['| Code | HTTP | Category | Severity | Retryable |', '|---|---|---|---|---|', ...rows].join(
    '\n',
  );
  const parts = entries.map(([code, { message, remedy }]) => `## ${code}\n\n${message}\n\n${remedy}\n`);
  return `${INTRO}\n${table}\n\n${parts.join('\n')}`;
}

it('docs/errors.md says what the catalogue says (npx vitest run packages/contracts -u)', async () => {
  await expect(errorDocs()).toMatchFileSnapshot('../../../docs/errors.md');
});
