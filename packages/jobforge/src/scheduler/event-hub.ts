import type { JobEvent } from '@controlplane/contracts';

/** Told of one job's events. */
export interface EventListener {
  onEvent(event: JobEvent): void;
  /** JobForge stops: nothing more comes. */
  onClose(): void;
}

/** Carries job events to those who listen now. Nothing is made for a job to which nobody listens. */
export interface EventHub {
  listen(jobId: string, listener: EventListener): () => void;
  /** `make` runs only where somebody listens. */
  emit(jobId: string, make: () => JobEvent): void;
  close(): void;
}

export function createEventHub(): EventHub {
  const listeners = new Map<string, Set<EventListener>>();
  let closed = false;

  return {
    listen(jobId, listener) {
      if (closed) {
        listener.onClose();
        return () => undefined;
      }
      const set = listeners.get(jobId) ?? new Set();
      listeners.set(jobId, set.add(listener));
      return () => {
        set.delete(listener);
        if (set.size === 0 && listeners.get(jobId) === set) listeners.delete(jobId);
      };
    },
    emit(jobId, make) {
      if (listeners.size === 0) return;
      const set = listeners.get(jobId);
      if (set === undefined) return;
      const event = make();
      for (const listener of set) listener.onEvent(event);
    },
    close() {
      closed = true;
      for (const set of listeners.values()) for (const listener of set) listener.onClose();
      listeners.clear();
    },
  };
}
