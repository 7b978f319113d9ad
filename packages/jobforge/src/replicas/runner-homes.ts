import type { RunnerMetadata } from '@controlplane/contracts';
import type { OtherReplica } from '../store/replica-store.js';

/** Where the runners of the other replicas are, as those last said. */
export interface RunnerHomes {
  update(others: readonly OtherReplica[]): void;
  /** The replica that has a runner; undefined where none of the others has. */
  homeOf(runnerId: string): number | undefined;
  runners(): readonly RunnerMetadata[];
}

interface Said {
  /** JSON, as it came. */
  readonly text: string;
  readonly runners: readonly RunnerMetadata[];
}

/** What a replica says again is read once. */
export function createRunnerHomes(): RunnerHomes {
  let said = new Map<number, Said>();
  let homes = new Map<string, number>();
  const read = ({ id, runners: text }: OtherReplica): Said => {
    const known = said.get(id);
    return known?.text === text ? known : { text, runners: JSON.parse(text) as RunnerMetadata[] };
  };
  return {
    update(others) {
      said = new Map(others.map((other) => [other.id, read(other)]));
      homes = new Map();
      for (const [id, { runners }] of said)
        for (const runner of runners) if (!homes.has(runner.id)) homes.set(runner.id, id);
    },
    homeOf: (runnerId) => homes.get(runnerId),
    runners: () => [...said.values()].flatMap(({ runners }) => runners),
  };
}
