/** Checks who has sent a dispatch, by the Standard Webhooks scheme, once a registration has brought a key. */
import { createHmac, timingSafeEqual } from 'node:crypto';

const TOLERANCE_SECONDS = 300;

const bytesOf = (key) => Buffer.from(key.replace(/^whsec_/, ''), 'base64');

function isSigned(key, content, signatures) {
  const expected = createHmac('sha256', bytesOf(key)).update(content).digest();
  return signatures.some((signature) => {
    const given = Buffer.from(signature.replace(/^v1,/, ''), 'base64');
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}

function isTimely(timestamp, broken) {
  const age = Date.now() / 1000 - Number(timestamp);
  if (age > TOLERANCE_SECONDS && !broken('security.refuses-old-dispatch')) return false;
  return age >= -TOLERANCE_SECONDS || broken('security.refuses-future-dispatch');
}

/** Whether one of the signatures is of this body: a careless runner signs what it knows of a body, not its bytes. */
function isGenuine(key, { id, timestamp, signature, body }, broken) {
  const all = signature.split(' ');
  const signatures = broken('security.accepts-one-of-several-signatures') ? all.slice(0, 1) : all;
  const bodies = broken('security.refuses-altered-body')
    ? [body, body.replace(/"attempt":\d+/, '"attempt":1')]
    : [body];
  return bodies.some((one) => isSigned(key, `${id}.${timestamp}.${one}`, signatures));
}

export function createSignatureCheck({ broken }) {
  const seen = new Set();
  let key;
  return {
    setKey(next) {
      if (key === undefined || !broken('security.takes-the-new-key')) key = next;
    },
    /** What is wrong, in words; undefined when all is well, or there is no key. */
    fault(headers, body) {
      if (key === undefined) return undefined;
      const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = headers;
      if (!id || !timestamp || !signature)
        return broken('security.refuses-unsigned-dispatch') ? undefined : 'the request is not signed';
      if (broken('security.accepts-signed-dispatch')) return 'no signature is good enough';
      if (!isTimely(timestamp, broken)) return 'the signature is of another time';
      const isForeign = !isGenuine(key, { id, timestamp, signature, body }, broken);
      if (isForeign && !broken('security.refuses-foreign-signature'))
        return 'the signature is of another key';
      if (seen.has(id) && !broken('security.refuses-replayed-dispatch')) return 'the message came before';
      seen.add(id);
      return undefined;
    },
  };
}
