/** How a body is read: its type, its bytes, and what a runner may get wrong about them. */
import { NDJSON } from './replies.mjs';

/** Whether a body of this type is read at all. */
export function isReadable(type = '', broken) {
  if (broken('security.refuses-form-bodies')) return true;
  if (broken('http.reads-type-with-charset') && type.includes(';')) return false;
  const asked = broken('http.reads-type-in-any-case') ? type : type.toLowerCase();
  return /^application\/json\s*(?:;|$)/.test(asked) || asked.startsWith(NDJSON);
}

/** The body as text; undefined when it is longer than the limit. */
export async function readBody(request, { limit, broken }) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
  }
  if (size > limit) return undefined;
  if (broken('http.reads-split-characters')) return chunks.map((chunk) => chunk.toString('utf8')).join('');
  return Buffer.concat(chunks).toString('utf8');
}

/** Copies members into an object, those of their members too, and so into what `__proto__` names. */
function mergeInto(target, source) {
  for (const [key, value] of Object.entries(source)) {
    if (typeof value === 'object' && value !== null) mergeInto((target[key] ??= {}), value);
    else target[key] = value;
  }
}

function depthOf(value) {
  return typeof value === 'object' && value !== null
    ? 1 + Math.max(0, ...Object.values(value).map(depthOf))
    : 0;
}

/** What a careless runner does with what it has read. */
export function mishandle(body, broken) {
  if (typeof body !== 'object' || body === null) return;
  if (broken('security.ignores-prototype-members')) mergeInto({}, body);
  // Outside of the request's own handling: nothing catches what it throws.
  if (broken('resilience.survives-deep-json')) setImmediate(depthOf, body);
}
