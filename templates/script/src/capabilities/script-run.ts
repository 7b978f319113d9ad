import { script, type Interpreters, type ScriptCapability } from '@controlplane/capabilities/script';

/** Runs a script in node, python or bash, whichever this machine has. */
export function scriptRun(interpreters: Interpreters): ScriptCapability {
  return script({ interpreters, timeoutMs: 60_000 });
}
