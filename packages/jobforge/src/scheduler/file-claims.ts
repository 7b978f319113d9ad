/** Keeps what forgets the files of jobs that are gone and who submits such a job again out of each other's way. */
export interface FileClaims {
  /** A job is being submitted: its files stay for now. Resolves once none of them is being removed any more. */
  claim(jobId: string): Promise<void>;
  /** Forgets the files of a job. False where it was claimed lately: it may be there by now. */
  forget(jobId: string, remove: () => Promise<void>): Promise<boolean>;
  /** Another look at what is gone begins. A claim counts in the look in which it is made, and in the next. */
  nextLook(): void;
}

export function createFileClaims(): FileClaims {
  let [lately, before] = [new Set<string>(), new Set<string>()];
  const removing = new Map<string, Promise<void>>();
  return {
    async claim(jobId) {
      lately.add(jobId);
      // Whoever began to remove did so before the claim: what fails there is told there.
      await removing.get(jobId)?.catch(() => undefined);
    },
    async forget(jobId, remove) {
      if (lately.has(jobId) || before.has(jobId)) return false;
      // Known before it begins: whoever claims from now on waits for it.
      const removed = Promise.resolve()
        .then(remove)
        .finally(() => removing.delete(jobId));
      removing.set(jobId, removed);
      await removed;
      return true;
    },
    nextLook() {
      [before, lately] = [lately, new Set()];
    },
  };
}
