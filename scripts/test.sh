#!/usr/bin/env bash
# All tests: front end (vitest) beside Python (pytest: unit, contract, app, integration), then the browser's.
# A test that fails is run once more, alone: passing then, it does not fail the whole, but is named as unsteady.
set -u
cd "$(dirname "$0")/.."
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
started=$SECONDS

# run_tests LOG SECONDS ARGUMENT…: pytest, its words shown and kept; not piped, so that nothing it left behind is waited for.
run_tests() {
  local log=$1 limit=$2 code
  shift 2
  # shellcheck disable=SC2086
  timeout --foreground -k 30 "$limit" .venv/bin/python -m pytest -q -rfEs -p tests.again "$@" ${PYTEST_ARGS:-} > >(tee "$log") 2>&1
  code=$?
  for _ in {1..20}; do tail -n 1 "$log" | grep -qE ' in [0-9.]+s' && break || sleep 0.1; done
  return $code
}

# pytest_twice NAME ARGUMENT…: the tests called NAME with their marks; what did not pass once more. Sums up in $logs/summary.
# A worker that died is not replaced: xdist would give its file to nobody and wait for ever.
pytest_twice() {
  local name=$1 code red
  export TESTS_LEDGER="$logs/$1.ledger"
  : >"$TESTS_LEDGER"
  shift
  run_tests "$logs/$name" 2400 --max-worker-restart 0 "$@"
  code=$?
  echo "$name: $(tail -n 1 "$logs/$name")" >>"$logs/summary"
  [ "$code" = 5 ] && [ -n "${PYTEST_ARGS:-}" ] && code=0 # none of the chosen tests is of this kind
  mapfile -t red < <(sed -n 's/^failed //p' "$TESTS_LEDGER" | sort -u)
  if [ "$code" != 0 ] && [ -s "$TESTS_LEDGER" ] && [ ${#red[@]} -le "$MOST_AGAIN" ]; then
    printf '── once more, alone: %s\n' "${red[@]}" | tee -a "$logs/summary"
    run_tests "$logs/$name.again" 1200 "$@" -n 0
    code=$?
    echo "$name, once more: $(tail -n 1 "$logs/$name.again")" >>"$logs/summary"
  fi
  return "$code"
}
MOST_AGAIN=10
trap 'exit 130' INT

services=$(scripts/services.sh)
printf '%s\n' "$services"
[ "$(printf '%s' "$services" | tail -n 1)" = complete ] && export CITYGO_NEED_SERVICES=1

(cd frontend && env -u FORCE_COLOR NO_COLOR=1 npx vitest run) >"$logs/vitest" 2>&1 &
vitest=$!
# Two at a time, one file after the other in each. The browser's tests have Playwright's event loop, so a process of their own.
pytest_twice python -n 2 --dist loadfile --no-loadscope-reorder -m "not bench and not e2e" --durations=10
python_code=$?
pytest_twice browser -n 2 --dist loadfile --no-loadscope-reorder -m "e2e and not bench" --durations=5
browser_code=$?
wait $vitest
vitest_code=$?
[ $vitest_code = 0 ] || cat "$logs/vitest"

echo
echo "── vitest: $(grep -E '^ *Tests ' "$logs/vitest" | tail -n 1 | sed 's/^ *//') (exit $vitest_code)"
[ "$(printf '%s' "$services" | tail -n 1)" = complete ] || printf '%s\n' "$services" | grep LEFT
echo "── $((SECONDS - started)) s"
tee .test-summary <"$logs/summary"
[ $python_code = 0 ] && [ $browser_code = 0 ] && [ $vitest_code = 0 ]
