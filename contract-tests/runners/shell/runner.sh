#!/bin/sh
# A runner in POSIX shell, written from docs/write-a-runner-in-any-language.md. Needs what Debian has: busybox (its
# httpd answers HTTP and starts answer.sh for each request), curl and jq.
#
#     contract-test fixtures --language shell
#     contract-test run --command "sh runner.sh"
#
# It offers one capability of its own, text.statistics, and the fixtures of the kit where their file is next to it.
set -u
RUNNER_DIR=$(cd "$(dirname "$0")" && pwd)
read -r uptime _ < /proc/uptime
STARTED=${uptime%.*}
RUNNER_NAME=${RUNNER_NAME:-shell-runner} VERSION=1.0.0 SLOTS=8
RUNNER_NAME_JSON=$(jq -n --arg name "$RUNNER_NAME" '$name')
export RUNNER_DIR STARTED RUNNER_NAME RUNNER_NAME_JSON VERSION SLOTS
JOBFORGE_URL=${JOBFORGE_URL:-http://127.0.0.1:3002}
JOBFORGE_URL=${JOBFORGE_URL%/}
HOST=${HOST:-127.0.0.1}
PORT=${PORT:-3000}
DRAIN_SECONDS=25

# What the process knows, as files: who it is, which slots are taken, whether it is stopping.
STATE=$(mktemp -d) || exit 1
export STATE
read -r INSTANCE < /proc/sys/kernel/random/uuid
mkdir "$STATE/slots" "$STATE/answers" "$STATE/www" "$STATE/www/cgi-bin"

# shellcheck source=/dev/null
FIXTURES=${CONFORMANCE_FIXTURES:-$RUNNER_DIR/conformance-fixtures.sh}
[ -r "$FIXTURES" ] && export FIXTURES || unset FIXTURES
. "$RUNNER_DIR/capabilities.sh"
capabilities > "$STATE/capabilities.json"

# busybox serves programs under /cgi-bin alone: there the registration points to.
for route in health livez readyz manifest execute; do ln -s "$RUNNER_DIR/answer.sh" "$STATE/www/cgi-bin/$route"; done
ROOT="http://$HOST:$PORT/cgi-bin"

token=${RUNNER_TOKEN:-}
# Not for what the capabilities start.
unset RUNNER_TOKEN

# A program that ignores SIGTERM starts programs that do so too: the signal to the whole group must not end an answer.
(trap '' TERM INT; exec busybox httpd -f -p "$HOST:$PORT" -h "$STATE/www") &
SERVER=$!

# post PATH: sends the JSON on stdin and prints the reply. The body of a refusal is printed too; exit code 1.
post() {
  set -- "$1" "$(cat)"
  # The credential goes in by a file of curl's own, not by its arguments: those can be read by everybody.
  reply=$({ [ -z "$token" ] || printf 'header = "authorization: Bearer %s"\n' "$token"; } |
    curl -sS -m 10 -K - -w '\n%{http_code}' \
    -H 'content-type: application/json' --data-binary "$2" "$JOBFORGE_URL$1") || return 1
  status=${reply##*
}
  printf '%s' "${reply%
*}"
  case $status in 2??) return 0 ;; *) return 1 ;; esac
}

# From a reply to shell variables; what is not in it is empty.
read_reply() {
  known= newer= runner_id= code= interval_ms=
  eval "$(printf '%s' "$1" | jq -r '{
    known: .known, newer: .sessionCredential.token, runner_id: .runnerId, code: .error.code,
    interval_ms: .heartbeatIntervalMs
  } | to_entries[] | select(.value != null) | "\(.key)=\(.value | tostring | @sh)"' 2> /dev/null)"
  token=${newer:-$token}
}

register() {
  # The signal to the whole group must not cut off a reply that is on its way.
  reply=$(trap '' TERM INT; jq -n --arg name "$RUNNER_NAME" --arg version "$VERSION" --arg instance "$INSTANCE" --arg root "$ROOT" \
    --argjson slots "$SLOTS" --slurpfile capabilities "$STATE/capabilities.json" '{
      name: $name, version: $version, contractVersion: "1.0.0", instanceId: $instance, maxConcurrency: $slots,
      healthCheckEndpoint: "\($root)/health", delivery: {kind: "push", executeUrl: "\($root)/execute"},
      capabilities: $capabilities[0]
    }' | post /runners/register)
  answered=$?
  read_reply "$reply"
  if [ "$code" = CONTRACT_MISMATCH ]; then
    echo "refused for good: $reply" >&2
    leave 78
  fi
  [ "$answered" = 0 ] && [ -n "$runner_id" ] || return 1
  # An id that JSON would have to escape is none.
  case $runner_id in *[!A-Za-z0-9._:-]*) return 1 ;; esac
  runner=$runner_id
  beaten=
  interval=${interval_ms:-$interval}
  : > "$STATE/registered"
}

beat() {
  set -- "$STATE"/slots/*
  [ -e "$1" ] || shift
  # Its id came from JSON, where it was given as one that needs no escapes.
  reply=$(trap '' TERM INT; printf '{"runnerId":"%s","instanceId":"%s","timestamp":"%s","status":"healthy","activeJobs":%d}' \
    "$runner" "$INSTANCE" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" $# | post /runners/heartbeat) || return 0
  # Beat after beat is answered the same: then nothing is new.
  [ "$reply" != "$beaten" ] || return 0
  beaten=$reply
  read_reply "$reply"
  [ "$known" = false ] || return 0
  rm -f "$STATE/registered"
  runner=
}

# pause MS: sleeps; a signal ends it.
pause() {
  sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))" &
  wait $! || :
}

# leave EXIT_CODE: nothing of it goes on.
leave() {
  kill -9 "$SERVER" 2> /dev/null
  for answer in "$STATE"/answers/*; do
    [ -d "$answer" ] || continue
    kill -9 "${answer##*/}" 2> /dev/null
    [ -e "$answer/group" ] && kill -9 "-$(cat "$answer/group")" 2> /dev/null
  done
  rm -rf "$STATE"
  exit "$1"
}

stop() {
  # The second signal.
  trap 'leave 1' TERM INT
  : > "$STATE/draining"
  # The signal may have come between the reply to the registration and its reading.
  [ -n "$runner" ] || { read_reply "${reply:-}"; runner=$runner_id; }
  if [ -n "$runner" ]; then
    jq -n --arg instance "$INSTANCE" '{instanceId: $instance, reason: "SIGTERM"}' |
      post "/runners/$runner/deregister" > /dev/null
  fi
  until=$(($(date +%s) + DRAIN_SECONDS))
  while [ -n "$(ls "$STATE/answers")" ] && [ "$(date +%s)" -lt "$until" ]; do pause 50; done
  # The last answers are being written.
  pause 100
  leave 0
}

runner=
beaten=
interval=10000
backoff=250
trap stop TERM INT
while :; do
  if [ -n "$runner" ]; then
    beat
  elif register; then
    backoff=250
  else
    pause $((backoff + $(date +%N | cut -c1-2 | sed 's/^0//') * backoff / 400))
    backoff=$((backoff * 2 < 30000 ? backoff * 2 : 30000))
    continue
  fi
  [ -z "$runner" ] || pause "$interval"
done
