#!/usr/bin/env bash
# Format, lint, types and import contracts of both languages, side by side. Prints only what fails, and the seconds of each.
set -u
cd "$(dirname "$0")/.."
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
started=$SECONDS

run() { # name, command…
  local name=$1
  shift
  local from=$SECONDS
  if "$@" >"$logs/$name.out" 2>&1; then echo ok >"$logs/$name.state"; else echo FAILED >"$logs/$name.state"; fi
  echo "$((SECONDS - from))" >"$logs/$name.seconds"
}
in_frontend() { (cd frontend && "$@"); }

# Two lanes for two cores; each lane runs its pieces one after the other.
{
  run mypy .venv/bin/mypy
  run ruff-format .venv/bin/ruff format --check --quiet .
  run ruff .venv/bin/ruff check --quiet .
  run imports .venv/bin/lint-imports
  run prettier in_frontend npx prettier --check --log-level warn --cache --cache-location node_modules/.cache/prettier-cache src
} &
{
  run tsc in_frontend node node_modules/typescript-native/bin/tsc --noEmit
  run eslint in_frontend npx eslint src --max-warnings 0 --cache --cache-location node_modules/.cache/eslint
} &
wait

code=0
for state in "$logs"/*.state; do
  name=$(basename "$state" .state)
  printf '%-12s %-7s %3s s\n' "$name" "$(cat "$state")" "$(cat "$logs/$name.seconds")"
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
