#!/usr/bin/env bash
# What action.yml and gitlab.yml run: `contract-test run` with every report that a CI system can show. Reads the
# variables CONTRACT_*, writes to the folder CONTRACT_REPORTS, exits as contract-test does.
set -u
reports="${CONTRACT_REPORTS:-contract-reports}"
mkdir -p "$reports"
rm -f "$reports"/contract.{json,xml,sarif,md,html,env} "$reports/badge.json"

arguments=(
  --report text
  --report "json=$reports/contract.json"
  --report "junit=$reports/contract.xml"
  --report "sarif=$reports/contract.sarif"
  --report "markdown=$reports/contract.md"
  --report "html=$reports/contract.html"
  --report "badge=$reports/badge.json"
  --report "outputs=$reports/contract.env"
)
[ -z "${CONTRACT_COMMAND:-}" ] || arguments+=(--command "$CONTRACT_COMMAND")
[ -z "${CONTRACT_IMAGE:-}" ] || arguments+=(--image "$CONTRACT_IMAGE")
[ -z "${CONTRACT_URL:-}" ] || arguments+=(--url "$CONTRACT_URL")
[ -z "${CONTRACT_KNOWN_FAILURES:-}" ] || arguments+=(--known-failures "$CONTRACT_KNOWN_FAILURES")
[ "${CONTRACT_STRICT:-false}" != true ] || arguments+=(--strict)
read -r -a profiles <<<"${CONTRACT_PROFILES:-}"
for profile in ${profiles[@]+"${profiles[@]}"}; do arguments+=(--profile "$profile"); done

# Beside this file where the package is installed; a checkout of the action alone has no build.
package="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
if [ -f "$package/dist/cli.js" ]; then
  kit=(node "$package/bin/contract-test.js")
else
  kit=(npx --yes -p "@controlplane/contract-test-kit@${CONTRACT_KIT_VERSION:-latest}" contract-test)
fi

code=0
"${kit[@]}" run "${arguments[@]}" || code=$?

printf 'CONTRACT_EXIT_CODE=%s\nCONTRACT_REPORTS=%s\n' "$code" "$reports" >>"$reports/contract.env"
[ -z "${GITHUB_OUTPUT:-}" ] || cat "$reports/contract.env" >>"$GITHUB_OUTPUT"
if [ -n "${GITHUB_STEP_SUMMARY:-}" ] && [ -f "$reports/contract.md" ]; then
  cat "$reports/contract.md" >>"$GITHUB_STEP_SUMMARY"
fi
exit "$code"
