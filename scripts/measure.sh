#!/usr/bin/env bash
# How long a newcomer waits: fresh clone, empty HOME, cold caches, nothing started. Prints seconds; writes nothing here.
# scripts/measure.sh [test]   also measures `make test` with "test".
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git clone -q "$root" "$work/clone"
mkdir "$work/home"
cd "$work/clone"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

newcomer() { exec env -u VIRTUAL_ENV HOME="$work/home" XDG_CACHE_HOME="$work/home/.cache" PORT="$port" "$@"; }
now() { python3 -c 'import time; print(time.time())'; }
start_and_stop() { # words
  local began log="$work/$1.log"
  began=$(now)
  (newcomer make run) >"$log" 2>&1 &
  local job=$!
  until grep -q "is ready" "$log"; do
    kill -0 $job 2>/dev/null || { cat "$log"; exit 1; }
    sleep 0.1
  done
  python3 -c "import time; print('%-28s %6.1f s' % ('$1', time.time() - $began))"
  kill -TERM $job
  wait $job 2>/dev/null || true
}
uptime | sed 's/.*load/load/'
start_and_stop first_make_run
start_and_stop second_make_run
if [ "${1:-}" = test ]; then
  began=$(now)
  (newcomer make test) >"$work/test.log" 2>&1 && result=passed || result=FAILED
  python3 -c "import time; print('%-28s %6.1f s' % ('make_test ($result)', time.time() - $began))"
  tail -n 3 "$work/test.log"
fi
