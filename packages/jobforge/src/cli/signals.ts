const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Listens for the signals that end a process: the first calls `stop`, the second ends it at once with exit code 1. */
export function onSignal(stop: () => void): () => void {
  let seen = 0;
  const heard = (): void => {
    seen += 1;
    if (seen === 1) stop();
    else process.exit(1);
  };
  for (const signal of SIGNALS) process.on(signal, heard);
  return () => {
    for (const signal of SIGNALS) process.off(signal, heard);
  };
}

/** Ends quietly when whoever reads the output has left, as `| head` does. */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
}
