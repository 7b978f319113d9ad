/**
 * Flags of this process that would make another one do something else than load its module, or give it what its
 * environment is scrubbed of: Node reads the files of `--env-file` once more in every process.
 */
const NOT_PASSED_ON = /^--(input-type|inspect|watch|test|eval|print|interactive|env-file)|^-(e|p|pe|i)$/;

/**
 * The flags of Node that a process of a capability is started with.
 * @param flags - those of this process; a value may stand in a token of its own, after its flag
 */
export function passedFlags(flags: readonly string[]): string[] {
  let isPassed = true;
  return flags.filter((token) => {
    // Node takes no value that begins with a dash: any other token is the value of the flag before it.
    if (token.startsWith('-')) isPassed = !NOT_PASSED_ON.test(token);
    return isPassed;
  });
}
