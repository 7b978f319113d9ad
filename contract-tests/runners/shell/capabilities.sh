# What this runner can do. Read with `.` by runner.sh and answer.sh.

if [ -n "${FIXTURES:-}" ]; then
  # shellcheck source=/dev/null
  . "$FIXTURES"
else
  fixture_capabilities() { echo '[]'; }
fi

capabilities() {
  jq -nc --argjson fixtures "$(fixture_capabilities)" '[{
    id: "text.statistics", name: "text.statistics", version: "1.0.0", description: "Counts characters and words.",
    inputSchema: {type: "object", properties: {text: {type: "string"}}, required: ["text"]},
    outputSchema: {
      type: "object",
      properties: {characters: {type: "integer"}, words: {type: "integer"}},
      required: ["characters", "words"]
    },
    supportedJobTypes: [], effects: "none", maxConcurrency: 8, timeoutMs: 30000
  }] + $fixtures'
}

# run_capability ID: its input on stdin, its output on stdout; exit code 1 for an error {code, message, retryable}.
run_capability() {
  case $1 in
    text.statistics) jq -c '{characters: (.text | length), words: (.text | [splits("\\s+")] | map(select(. != "")) | length)}' ;;
    conformance.*) run_fixture "$1" ;;
    *) return 2 ;;
  esac
}
