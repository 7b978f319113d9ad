import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '@controlplane/capabilities/container';
import { temporaryFolder } from './served-runner.js';

/**
 * The commands of an engine for containers that are processes: a task's prompt is a line for sh. Of an image whose name
 * holds `missing` there is none.
 */
const COMMAND = `#!/bin/sh
root=$(cd "$(dirname "$0")" && pwd)/containers
command=$1
shift
case $command in
version)
  echo 5.4.0
  ;;
create)
  for arg; do case $arg in --name=*) name=\${arg#*=} ;; esac; done
  dir=$root/$name
  mkdir -p "$dir"
  : >"$dir/env"
  while [ $# -gt 0 ]; do
    case $1 in
    --env-file=*) cat "\${1#*=}" >>"$dir/env" ;;
    --volume=*:/job/input:ro) input=\${1#*=}; input=\${input%:/job/input:ro} ;;
    --volume=*:/job/output) output=\${1#*=}; output=\${output%:/job/output} ;;
    --*) ;;
    *) break ;;
    esac
    shift
  done
  case $1 in *missing*) rm -rf "$dir"; echo "Error: $1: manifest unknown, not found" >&2; exit 125 ;; esac
  printf '%s' "$4" >"$dir/prompt"
  sed "s#=/job/input#=$input#" "$dir/env" >"$dir/env.seen"
  echo "OUTPUT=$output" >>"$dir/env.seen"
  echo "$name"
  ;;
start)
  for arg; do name=$arg; done
  dir=$root/$name
  set --
  while IFS= read -r line; do set -- "$@" "$line"; done <"$dir/env.seen"
  setsid env -i PATH="$PATH" "$@" sh -c "$(cat "$dir/prompt")" </dev/null &
  echo $! >"$dir/pid"
  { wait $!; } 2>/dev/null
  code=$?
  echo $code >"$dir/code"
  exit $code
  ;;
stop)
  pid=$(cat "$root/$3/pid")
  kill -s TERM -- "-$pid" 2>/dev/null
  left=$(($2 * 10))
  while [ $left -gt 0 ] && kill -s 0 -- "-$pid" 2>/dev/null; do sleep 0.1; left=$((left - 1)); done
  kill -s KILL -- "-$pid" 2>/dev/null
  exit 0
  ;;
inspect)
  dir=$root/$3
  while [ -f "$dir/pid" ] && [ ! -f "$dir/code" ]; do sleep 0.05; done
  echo "[{\\"Image\\":\\"sha256:1\\",\\"State\\":{\\"ExitCode\\":$(cat "$dir/code"),\\"OOMKilled\\":false,\\"StartedAt\\":\\"2026-01-01T00:00:00Z\\",\\"Error\\":\\"\\"}}]"
  ;;
rm)
  for arg; do name=$arg; done
  rm -rf "\${root:?}/\${name:?}"
  ;;
esac
`;

/** Puts it into a folder of the test, under the name of podman. */
export function makeProcessEngine(folder = temporaryFolder()): Engine {
  const path = join(folder, 'podman');
  writeFileSync(path, COMMAND, { mode: 0o755 });
  return { kind: 'podman', path, version: '5.4.0', labels: { podman: '5.4.0' } };
}
