/** As many events as fit into one message; the rest goes into the next. */
export function batchOf(events, { breaks, state }) {
  if (breaks('gathers-events')) return events.slice(0, 1);
  if (breaks('keeps-messages-small')) return events;
  const limit = (state.maxBodyBytes ?? 4 * 1024 * 1024) - 1_024;
  let bytes = 0;
  const fitting = events.findIndex((event) => {
    bytes += Buffer.byteLength(JSON.stringify(event)) + 1;
    return bytes > limit;
  });
  return fitting < 0 ? events : events.slice(0, Math.max(1, fitting));
}

export const leaseOf = ({ leaseToken }, { breaks }) =>
  breaks('carries-lease-token') || leaseToken === undefined ? {} : { leaseToken };
