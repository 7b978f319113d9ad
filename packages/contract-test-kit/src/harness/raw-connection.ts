import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { pause } from './pause.js';

/** A connection whose bytes the kit writes itself: for what no HTTP client would send. */
export interface RawConnection {
  write(bytes: string | Uint8Array): void;
  /** What has arrived. */
  text(): string;
  /** Whether the other end has closed it, or it broke. */
  isClosed(): boolean;
  /** Waits until what has arrived fits, the connection ends, or time runs out; then says what has arrived. */
  until(fits: (text: string) => boolean, timeoutMs: number): Promise<string>;
  /** Breaks it off. */
  destroy(): void;
}

const POLL_MS = 10;

function open(url: URL): Socket {
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return url.protocol === 'https:'
    ? connectTls({ host, port, servername: host })
    : connectTcp({ host, port });
}

/**
 * Connects; the connection is broken off when `signal` says that the case is over.
 * @returns also when nothing listens: it is closed then
 */
export async function openRawConnection(url: string, signal: AbortSignal): Promise<RawConnection> {
  const socket = open(new URL(url));
  const decoder = new TextDecoder();
  let text = '';
  let closed = false;
  const close = (): void => {
    closed = true;
  };
  socket.on('data', (chunk: Uint8Array) => {
    text += decoder.decode(chunk, { stream: true });
  });
  socket.on('error', close);
  socket.on('close', close);
  socket.on('end', close);
  signal.addEventListener('abort', () => socket.destroy(), { once: true });
  await new Promise<void>((resolve) => {
    socket.once('connect', () => resolve());
    socket.once('close', () => resolve());
  });
  return {
    write: (bytes) => void (socket.writable && socket.write(bytes)),
    text: () => text,
    isClosed: () => closed,
    async until(fits, timeoutMs) {
      const deadline = performance.now() + timeoutMs;
      while (!fits(text) && !closed && !signal.aborted && performance.now() < deadline)
        await pause(POLL_MS, signal);
      return text;
    },
    destroy: () => void socket.destroy(),
  };
}

/** Head of a request, ended by its empty line. */
export function requestHead(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>> = {},
): string {
  const { pathname, search, host } = new URL(url);
  const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${pathname}${search} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** Statuses of the replies that have arrived, informational ones too. */
export function statusesIn(text: string): number[] {
  return [...text.matchAll(/(?:^|\n|\})HTTP\/1\.[01] (\d{3})/g)].map(([, status]) => Number(status));
}
