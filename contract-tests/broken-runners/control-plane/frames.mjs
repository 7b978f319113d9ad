/** Which frames of a control plane a proxy that breaks one requirement keeps back. */

const isOffers = ({ type }) => type === 'offers';
/** Each is about an offer over the connection after the one that broke. */
const CUT_OFFERS = ['control-plane.survives-cut-offers', 'control-plane.survives-cut-claims'];
const hasDirective = (kind) => (frame) =>
  frame.type === 'directives' && frame.directives.some((directive) => directive.kind === kind);

/** What is said after a frame although nothing of it is true: the first execution that anybody was offered. */
export function saysAfter(text, { broken, offersAgain, seen }) {
  const { type } = JSON.parse(text);
  if (type === 'offers') seen.firstOffers ??= text;
  const isLie = broken('control-plane.fails-lost-writes') && offersAgain && type === 'ready';
  return isLie ? seen.firstOffers : undefined;
}

/** A frame of a runner as it is passed on. */
export function rewriteSaid(frame, { broken }) {
  if (frame.type !== 'register' || !broken('control-plane.keeps-held-work')) return frame;
  const { held: _held, ...registration } = frame.registration;
  return { ...frame, registration: { ...registration, instanceId: crypto.randomUUID() } };
}

/** Frames of one type, each under the requirements that their lack breaks. */
const LACKED = {
  confirmed: ['control-plane.offers-over-websocket'],
  acknowledged: ['control-plane.acknowledges-events', 'control-plane.takes-cut-results'],
  refused: ['control-plane.refuses-in-words'],
};

/** Whether a frame is kept back. `seen` counts the offers of a connection, `all` those of every one. */
export function keepsBack(frame, { broken, seen, all }) {
  if (isOffers(frame)) {
    seen.offers += 1;
    all.offers += 1;
  }
  const isRepeated = isOffers(frame) && seen.offers > 1;
  if (broken('control-plane.offers-again') || broken('control-plane.retries')) return isRepeated;
  if (CUT_OFFERS.some(broken)) return isOffers(frame) && all.offers > 1;
  if (LACKED[frame.type]?.some(broken)) return true;
  if (broken('control-plane.cancels')) return hasDirective('cancel')(frame);
  return broken('control-plane.drains') && hasDirective('drain')(frame);
}
