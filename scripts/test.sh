#!/usr/bin/env bash
# All tests: front end (vitest) beside Python (pytest: unit, contract, app, integration, browser). The summaries stand last.
set -u
cd "$(dirname "$0")/.."
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
started=$SECONDS

services=$(scripts/services.sh)
printf '%s\n' "$services"
[ "$(printf '%s' "$services" | tail -n 1)" = complete ] && export CITYGO_NEED_SERVICES=1

(cd frontend && npx vitest run) >"$logs/vitest" 2>&1 &
vitest=$!
# Two at a time, one file after the other in each; then the browser alone, so that its clocks are its own.
# shellcheck disable=SC2086
.venv/bin/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder -m "not bench and not e2e" -rfEs --durations=10 ${PYTEST_ARGS:-} 2>&1 |
  tee "$logs/pytest"
python_code=${PIPESTATUS[0]}
# shellcheck disable=SC2086
.venv/bin/python -m pytest -q -m "e2e and not bench" -rfEs --durations=5 ${PYTEST_ARGS:-} 2>&1 | tee "$logs/browser"
browser_code=${PIPESTATUS[0]}
[ "$browser_code" = 5 ] && [ -n "${PYTEST_ARGS:-}" ] && browser_code=0 # none of the chosen tests needs a browser
wait $vitest
vitest_code=$?
[ $vitest_code = 0 ] || cat "$logs/vitest"

echo
echo "── vitest: $(grep -E '^ *Tests ' "$logs/vitest" | tail -n 1 | sed 's/^ *//') (exit $vitest_code)"
[ "$(printf '%s' "$services" | tail -n 1)" = complete ] || printf '%s\n' "$services" | grep LEFT
echo "── $((SECONDS - started)) s"
{
  echo "browser: $(tail -n 1 "$logs/browser")"
  tail -n 1 "$logs/pytest"
} | tee .test-summary
[ "$python_code" = 0 ] && [ "$browser_code" = 0 ] && [ $vitest_code = 0 ]
