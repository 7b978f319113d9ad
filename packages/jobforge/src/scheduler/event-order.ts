/** An event that waits to be told. */
export interface WaitingEvent {
  readonly emit: () => void;
  /** It is on disk, or will never be. */
  ready: boolean;
}

/** A job as far as the order of its events goes. */
export interface TellsInOrder {
  readonly untold: WaitingEvent[];
}

function tellReady(job: TellsInOrder): void {
  for (let first = job.untold[0]; first?.ready; first = job.untold[0]) {
    job.untold.shift();
    first.emit();
  }
}

/** Tells an event once those before it are told: some of them wait for the disk. */
export function tellInOrder(job: TellsInOrder, emit: () => void): void {
  if (job.untold.length === 0) emit();
  else job.untold.push({ emit, ready: true });
}

/** Takes an event's turn; the returned function tells it, and what waited behind it. */
export function tellLater(job: TellsInOrder, emit: () => void): () => void {
  const event: WaitingEvent = { emit, ready: false };
  job.untold.push(event);
  return () => {
    event.ready = true;
    tellReady(job);
  };
}
