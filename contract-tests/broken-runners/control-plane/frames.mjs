/** Which frames of a control plane a proxy that breaks one requirement keeps back. */

const isOffers = ({ type }) => type === 'offers';
const hasDirective = (kind) => (frame) =>
  frame.type === 'directives' && frame.directives.some((directive) => directive.kind === kind);

/** What is said after a frame although nothing of it is true: the first execution that anybody was offered. */
export function saysAfter(text, { broken, offersAgain, seen }) {
  const { type } = JSON.parse(text);
  if (type === 'offers') seen.firstOffers ??= text;
  const isLie = broken('control-plane.fails-lost-writes') && offersAgain && type === 'ready';
  return isLie ? seen.firstOffers : undefined;
}

/** Whether a frame is kept back. `seen` counts the offers of a connection. */
export function keepsBack(frame, { broken, seen }) {
  if (isOffers(frame)) seen.offers += 1;
  const isRepeated = isOffers(frame) && seen.offers > 1;
  if (broken('control-plane.offers-again') || broken('control-plane.retries')) return isRepeated;
  if (broken('control-plane.offers-over-websocket')) return frame.type === 'confirmed';
  if (broken('control-plane.acknowledges-events')) return frame.type === 'acknowledged';
  if (broken('control-plane.refuses-in-words')) return frame.type === 'refused';
  if (broken('control-plane.cancels')) return hasDirective('cancel')(frame);
  return broken('control-plane.drains') && hasDirective('drain')(frame);
}
