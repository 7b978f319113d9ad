#!/bin/sh
# Answers one request: busybox httpd starts it with the request in the environment and its body on stdin.
set -u
read -r uptime _ < /proc/uptime
started=${uptime%.*}${uptime#*.}
# Who asked before the runner began to stop is served.
[ -e "$STATE/draining" ] && draining=1 || draining=
. "$RUNNER_DIR/capabilities.sh"
MAX_BODY_BYTES=4194304

# A drain waits for what is being answered.
work=$STATE/answers/$$
slot=
trap 'rm -rf "$work" ${slot:+"$slot"}' EXIT
mkdir "$work"

# Hundredths of a second are the finest that the shell reads without starting a program.
took() {
  read -r uptime _ < /proc/uptime
  took=$(((${uptime%.*}${uptime#*.} - started) * 10))
}

# head STATUS [HEADER]
head_of_reply() { printf 'Status: %s\r\ncontent-type: application/json\r\n%s\r\n' "$1" "${2:-}"; }

# now: the time, for JSON.
now() { date -u +%Y-%m-%dT%H:%M:%SZ; }

# refuse STATUS CODE CATEGORY RETRYABLE MESSAGE [DETAILS]: answers and ends. Code and message are as JSON escapes them;
# starting jq for what needs no escapes would take longer than everything else.
refuse() {
  read -r id < /proc/sys/kernel/random/uuid
  took
  head_of_reply "$1" "${allow:-}"
  printf '{"success":false,"executionTimeMs":%d,' "$took"
  # Its id is known to need no escapes.
  [ -z "${job:-}" ] || printf '"jobId":"%s",' "$job"
  printf '"error":{"id":"%s","timestamp":"%s","service":%s,"contractVersion":"1.0.0","severity":"error",' \
    "$id" "$(now)" "$RUNNER_NAME_JSON"
  printf '"code":"%s","category":"%s","retryable":%s,"message":"%s","details":%s}}\n' "$2" "$3" "$4" "$5" "${6:-[]}"
  exit 0
}

health() {
  head_of_reply '200 OK'
  printf '{"service":%s,"status":"healthy","timestamp":"%s","version":"%s","uptime":%d,"checks":[]}\n' \
    "$RUNNER_NAME_JSON" "$(now)" "$VERSION" $((${uptime%.*} - STARTED))
}

readyz() {
  if [ -e "$STATE/registered" ] && [ -z "$draining" ]; then
    head_of_reply '200 OK'
    echo '{"ok":true,"reasons":[]}'
  else
    head_of_reply '503 Service Unavailable'
    echo '{"ok":false,"reasons":["not registered, or stopping"]}'
  fi
}

manifest() {
  head_of_reply '200 OK'
  jq -c --arg name "$RUNNER_NAME" --arg version "$VERSION" --argjson slots "$SLOTS" '{
    name: $name, version: $version, contractVersion: "1.0.0", maxConcurrency: $slots, features: [], capabilities: .
  }' "$STATE/capabilities.json"
}

# From a body to shell variables: verdict, and what is needed to go on. Of JSON Schema it knows what this runner's own
# schemas use: the types of members, and minimum.
# shellcheck disable=SC2016
READ_REQUEST='
  def fits(rule): . as $value | type as $type
    | if rule.type == "integer" then $type == "number" and floor == . and . >= (rule.minimum // .) else $type == rule.type end;
  def is_id: type == "string" and test("^[A-Za-z0-9._:-]{1,128}$");
  def is_request: type == "object" and (.jobId | is_id) and (.capabilityId | is_id) and (.payload | type) == "object"
    and ((.timeoutMs // 30000) | type == "number" and floor == . and . > 0);
  def faults(schema): . as $payload | [schema.properties | to_entries[]
    | .key as $name | .value as $rule | select($payload[$name] | fits($rule) | not)
    | {path: ["input", $name], message: "expected \($rule.type)"}];
  def say: to_entries[] | "\(.key)=\(.value | tostring | @sh)";
  (try {request: fromjson} catch {}) as $body
  | if $body == {} then {verdict: "INVALID_JSON"}
    elif $body.request | is_request | not then {verdict: "VALIDATION_ERROR"}
    else $body.request as $request
      | first(($capabilities[0][] | select(.id == $request.capabilityId)), null) as $published
      | {job: $request.jobId, capability: $request.capabilityId} +
        if $published == null then {verdict: "CAPABILITY_NOT_FOUND"}
        else ($request.payload | faults($published.inputSchema)) as $faults
          | if $faults == [] then {verdict: "", timeout: ($request.timeoutMs // 30000), payload: $request.payload}
            else {verdict: "INPUT_REFUSED", faults: $faults}
            end
        end
    end
  | say'

take_slot() {
  number=0
  while [ "$number" -lt "$SLOTS" ]; do
    number=$((number + 1))
    mkdir "$STATE/slots/$number" 2> /dev/null && slot=$STATE/slots/$number && return 0
  done
  return 1
}

# Runs the capability in a process group of its own, so that all of it can be ended.
perform() {
  # shellcheck disable=SC2016
  printf '%s' "$payload" | timeout -s KILL "$((timeout / 1000)).$(printf '%03d' $((timeout % 1000)))" \
    sh -c '. "$RUNNER_DIR/capabilities.sh"; (run_capability "$1")' sh "$capability" > "$work/output" 2> "$work/errors" &
  echo $! > "$work/group"
  wait $!
}

execute() {
  if [ "$REQUEST_METHOD" != POST ]; then
    allow=$(printf 'allow: POST\r\n_')
    allow=${allow%_}
    refuse '405 Method Not Allowed' METHOD_NOT_ALLOWED VALIDATION_ERROR false 'use POST'
  fi
  if [ "${CONTENT_LENGTH:-0}" -gt "$MAX_BODY_BYTES" ]; then
    head -c "$CONTENT_LENGTH" > /dev/null
    refuse '413 Payload Too Large' PAYLOAD_TOO_LARGE VALIDATION_ERROR false "more than $MAX_BODY_BYTES bytes"
  fi
  verdict=INVALID_JSON
  eval "$(head -c "${CONTENT_LENGTH:-0}" | jq -Rsr --slurpfile capabilities "$STATE/capabilities.json" "$READ_REQUEST")"
  case $verdict in
    INVALID_JSON) refuse '400 Bad Request' INVALID_JSON VALIDATION_ERROR false 'the body is not JSON' ;;
    VALIDATION_ERROR)
      refuse '400 Bad Request' VALIDATION_ERROR VALIDATION_ERROR false 'the body is no RunnerExecutionRequest'
      ;;
    CAPABILITY_NOT_FOUND)
      refuse '404 Not Found' CAPABILITY_NOT_FOUND RESOURCE_NOT_FOUND false "this runner does not offer $capability"
      ;;
    INPUT_REFUSED)
      refuse '400 Bad Request' VALIDATION_ERROR VALIDATION_ERROR false 'the input does not match the schema' "$faults"
      ;;
  esac
  [ -z "$draining" ] ||
    refuse '503 Service Unavailable' RUNNER_DRAINING SERVICE_UNAVAILABLE true 'the runner is stopping'
  take_slot || refuse '429 Too Many Requests' RUNNER_BUSY RATE_LIMITED true "all $SLOTS slots are taken"
  perform
  answer_with $?
}

# answer_with EXIT_CODE: what the capability has written, by how it ended.
answer_with() {
  rmdir "$slot"
  slot=
  took
  case $1 in
    0)
      head_of_reply '200 OK'
      # The job's id is known to need no escapes.
      printf '{"jobId":"%s","success":true,"executionTimeMs":%d,"data":' "$job" "$took"
      cat "$work/output"
      echo '}'
      exit 0
      ;;
    1)
      code= message= retryable=true
      eval "$(jq -r 'to_entries[] | "\(.key)=\(.value | tojson | ltrimstr("\"") | rtrimstr("\"") | @sh)"' "$work/output")"
      refuse '500 Internal Server Error' "$code" RUNTIME_ERROR "$retryable" "$message"
      ;;
  esac
  # timeout and the capability itself end by the same signal: the time says which it was.
  [ "$1" = 137 ] && [ "$took" -ge "$((timeout - 10))" ] &&
    refuse '504 Gateway Timeout' EXECUTION_TIMEOUT TIMEOUT true "not done after $timeout ms"
  refuse '500 Internal Server Error' EXECUTION_FAILED RUNTIME_ERROR true "$capability broke off (exit code $1)"
}

case ${0##*/} in
  health) health ;;
  livez)
    head_of_reply '200 OK'
    echo '{"ok":true,"reasons":[]}'
    ;;
  readyz) readyz ;;
  manifest) manifest ;;
  execute) execute ;;
esac
