// Imported first by every command here: it speaks before anything newer than the running Node is evaluated.
const required = [20, 19];
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < required[0] || (major === required[0] && minor < required[1])) {
  console.error(
    `Node ${required.join('.')} or newer is needed, this is ${process.versions.node}. ` +
      'Install a current LTS release from https://nodejs.org and run the same command again.',
  );
  process.exit(1);
}
