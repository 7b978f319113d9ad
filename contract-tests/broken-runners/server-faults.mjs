/** What a runner does about connections that are not as they should be. */

const REPLY = 'HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n';

/** Faults of a server as a whole. */
export function prepareServer(server, { broken }) {
  if (broken('resilience.slow-senders')) server.maxConnections = 16;
  if (broken('http.expects-continue'))
    server.on('checkContinue', (_request, response) => response.writeHead(417).end());
  server.on('clientError', ({ code }, socket) => {
    if (broken('resilience.survives-oversized-head') && code === 'HPE_HEADER_OVERFLOW') process.exit(1);
    if (broken('resilience.survives-garbage') && code === 'HPE_INVALID_METHOD') process.exit(1);
    if (
      broken('resilience.link-dropped-in-the-head') &&
      ['HPE_INVALID_EOF_STATE', 'ECONNRESET'].includes(code)
    )
      process.exit(1);
    if (socket.writable) socket.end(REPLY);
    else socket.destroy();
  });
}

/** Faults of one exchange. */
export function prepareExchange(response, { broken }) {
  if (broken('http.keeps-connections-alive')) response.shouldKeepAlive = false;
  if (broken('resilience.link-dropped-before-the-reply'))
    response.on('close', () => {
      if (!response.writableEnded) process.exit(1);
    });
}

/** What could not be answered: the sender has gone, or the runner is at fault. */
export function onUnanswered(error, response, { broken }) {
  if (broken('resilience.link-dropped-in-the-body') && error.code === 'ECONNRESET') process.exit(1);
  console.error(error.message);
  response.destroy();
}
