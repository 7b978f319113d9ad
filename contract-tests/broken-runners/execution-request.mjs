/** What is an execution request, and what is not. */

const MEMBERS =
  'jobId executionId moduleId capabilityId payload timeoutMs metadata attempt leaseToken secrets checkpoint';
const KNOWN_MEMBERS = new Set(MEMBERS.split(' '));

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
export const isId = (value) => typeof value === 'string' && /^[A-Za-z0-9._:-]{1,128}$/.test(value);

export function isRequest(body, broken) {
  if (!isObject(body) || !isId(body.jobId) || !isId(body.capabilityId) || !isObject(body.payload))
    return false;
  if (broken('execute.accepts-minimal-request') && body.timeoutMs === undefined) return false;
  const { executionId = body.jobId } = body;
  if (!isId(executionId) && !broken('security.rejects-bad-ids')) return false;
  return (
    !broken('execute.tolerates-unknown-fields') || Object.keys(body).every((key) => KNOWN_MEMBERS.has(key))
  );
}
