#!/usr/bin/env bash
# Format, lint, types and import contracts of both languages, side by side. Sets up what is missing for them first.
# Prints only what fails, and the seconds of each.
set -u
cd "$(dirname "$0")/.."
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
started=$SECONDS

run() { # name, command…
  local name=$1
  shift
  local from=$SECONDS state=ok
  "$@" >"$logs/$name.out" 2>&1 || state=FAILED
  echo "$((SECONDS - from))" >"$logs/$name.seconds"
  echo $state >"$logs/$name.state"
  [ $state = ok ]
}
in_frontend() { (cd frontend && "$@"); }

# Two lanes for two cores; each sets up what it needs and lets its pieces follow one after the other.
{
  if run set-up-python scripts/setup.sh check python; then
    run mypy .venv/bin/mypy
    run ruff-format .venv/bin/ruff format --check --quiet .
    run ruff .venv/bin/ruff check --quiet .
    run imports .venv/bin/lint-imports
  fi
} &
{
  if run set-up-pages scripts/setup.sh check pages; then
    run oxfmt in_frontend npx oxfmt --check src lint
    run oxlint in_frontend npx oxlint --deny-warnings src lint
    run tsc in_frontend npx tsc --noEmit
  fi
} &
wait

code=0
for state in "$logs"/*.state; do
  name=$(basename "$state" .state)
  printf '%-14s %-7s %3s s\n' "$name" "$(cat "$state")" "$(cat "$logs/$name.seconds")"
  [ "$(cat "$state")" = ok ] || code=1
done
for state in "$logs"/*.state; do
  name=$(basename "$state" .state)
  if [ "$(cat "$state")" != ok ]; then
    printf '\n── %s ──\n' "$name"
    tail -n 60 "$logs/$name.out"
  fi
done
echo "check: $([ $code = 0 ] && echo ok || echo FAILED) in $((SECONDS - started)) s"
exit $code
