/** Which frames of a control plane a proxy that breaks one requirement keeps back. */

const isOffers = ({ type }) => type === 'offers';
const hasDirective = (kind) => (frame) =>
  frame.type === 'directives' && frame.directives.some((directive) => directive.kind === kind);

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
