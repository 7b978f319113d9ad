/** How long to wait before the next attempt. */
export function pauseMs(attempt, { breaks, retryAfterSeconds }) {
  const leastMs = breaks('honours-retry-after') ? 0 : (retryAfterSeconds ?? 0) * 1_000;
  if (breaks('backs-off')) return Math.max(10, leastMs);
  if (breaks('jitters')) return Math.max(1_000, leastMs);
  const ceilingMs = Math.min(30_000, 250 * 2 ** (attempt + 1));
  return Math.max(250 + (ceilingMs - 250) * Math.random(), leastMs);
}

/** Milliseconds that a directive says to wait before connecting again. */
export const afterMsOf = ({ afterMs = 0 }, { breaks }) => (breaks('reconnects-on-directive') ? 0 : afterMs);
