import { InvalidArgumentError } from 'commander';

/** Reads an option that takes a whole number. */
export function integer({
  min,
  max,
}: {
  readonly min: number;
  readonly max: number;
}): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`expected a whole number from ${min} to ${max}.`);
  };
}

/** Reads an option that takes one of a few words. */
export function choice<const Word extends string>(words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const word = words.find((candidate) => candidate === text);
    if (word !== undefined) return word;
    throw new InvalidArgumentError(`expected one of ${words.join(', ')}.`);
  };
}

/** Reads an option that takes several of a few words, with commas between, and may stand several times. */
export function choices<const Word extends string>(
  words: readonly Word[],
): (text: string, before?: readonly Word[]) => readonly Word[] {
  const read = choice(words);
  return (text, before = []) => [...before, ...text.split(',').map((word) => read(word.trim()))];
}

/** Gathers an option that may stand several times. */
export const gather = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];
