// `npm start --exit` without the `--` keeps the flag for npm, which passes it on as npm_config_exit and says nothing.
const FLAGS = ['exit', 'input', 'port', 'data'];
const quoted = (text) => (/^[\w./:@=-]+$/.test(text) ? text : JSON.stringify(text));

/**
 * The command that was meant, where npm has kept flags of `npm start` to itself.
 * @param {NodeJS.ProcessEnv} env
 * @param {string[]} args what reached the script
 * @returns {string | undefined}
 */
export function meantCommand(env, args) {
  if (env['npm_lifecycle_event'] !== 'start') return undefined;
  const bare = args.filter((arg) => !arg.startsWith('-'));
  const kept = FLAGS.filter((flag) => env[`npm_config_${flag}`]);
  if (kept.length === 0) return undefined;
  const typed = kept.map((flag) => {
    const value = env[`npm_config_${flag}`];
    if (flag === 'exit') return value === 'true' ? '--exit' : `--exit ${quoted(value)}`;
    // npm reads a value it does not expect as `true` and leaves the word behind as an argument.
    const word = value === 'true' ? bare.shift() : value;
    return word === undefined ? `--${flag}` : `--${flag} ${quoted(word)}`;
  });
  const rest = args.filter((arg) => arg.startsWith('-') || bare.includes(arg)).map(quoted);
  return ['npm start --', ...typed, ...rest].join(' ');
}
