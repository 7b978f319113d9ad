/**
 * Reads the body of an answer.
 * @param maxBytes - the most that is kept
 * @throws Error when there is more, or when the request's signal ends it: the limit of the HTTP client ends with the headers
 */
export async function readBytes(response: Response, maxBytes: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    pieces.push(piece as Uint8Array);
    bytes += (piece as Uint8Array).length;
    if (bytes > maxBytes) throw new Error(`the answer is larger than ${maxBytes} bytes`);
  }
  return Buffer.concat(pieces);
}
