import type { RunnerMetadata } from '@controlplane/contracts';
import type { OtherReplica } from '../store/replica-store.js';

/** Where the runners of the other replicas are, as those last said. */
export interface RunnerHomes {
  update(others: readonly OtherReplica[]): void;
  /** The replica that has a runner; undefined where none of the others has. */
  homeOf(runnerId: string): number | undefined;
  runners(): readonly RunnerMetadata[];
  /** Whether one of the others has heard of a runner: it is not merely known there. */
  isThere(runnerId: string): boolean;
  /** A runner has gone to a replica that has yet to say so. */
  moved(runnerId: string, to: number): void;
}

interface Said {
  /** JSON, as it came. */
  readonly text: string;
  readonly runners: readonly RunnerMetadata[];
}

/** Rounds of what the others say after which a move is forgotten that none of them has told. */
const MOVE_ROUNDS = 5;

interface Move {
  readonly to: number;
  rounds: number;
}

/** What a replica says again is read once. */
export function createRunnerHomes(): RunnerHomes {
  let said = new Map<number, Said>();
  let homes = new Map<string, number>();
  const moves = new Map<string, Move>();
  const read = ({ id, runners: text }: OtherReplica): Said => {
    const known = said.get(id);
    return known?.text === text ? known : { text, runners: JSON.parse(text) as RunnerMetadata[] };
  };
  return {
    update(others) {
      said = new Map(others.map((other) => [other.id, read(other)]));
      homes = new Map();
      for (const [id, { runners }] of said)
        for (const { id: runnerId, status } of runners)
          if (!homes.has(runnerId) || status !== 'offline') homes.set(runnerId, id);
      for (const [id, move] of moves) {
        move.rounds += 1;
        if (homes.has(id) || !said.has(move.to) || move.rounds > MOVE_ROUNDS) moves.delete(id);
      }
    },
    homeOf: (runnerId) => homes.get(runnerId) ?? moves.get(runnerId)?.to,
    isThere(runnerId) {
      const { runners = [] } = said.get(homes.get(runnerId) ?? -1) ?? {};
      return runners.some(({ id, status }) => id === runnerId && status !== 'offline');
    },
    moved: (runnerId, to) => void moves.set(runnerId, { to, rounds: 0 }),
    runners: () => [...said.values()].flatMap(({ runners }) => runners),
  };
}
