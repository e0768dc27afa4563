#!/usr/bin/env bash
# Sets up what is missing: scripts/setup.sh run|check|dev (checks need no built pages). Quick when nothing has changed (stamps hold hashes of the inputs).
set -euo pipefail
cd "$(dirname "$0")/.."
purpose=${1:-dev}
exec 9>.setup.lock
flock 9 2>/dev/null || true # one set-up at a time, where flock exists

say() { printf '%s\n' "$*" >&2; }
hash_of() { cat "$@" | (sha256sum 2>/dev/null || shasum -a 256) | cut -d' ' -f1; }
is_stamped() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

# ── Python ────────────────────────────────────────────────────────────────────────────────────────────────
find_python() {
  for name in ${PYTHON3:-} python3.11 python3.12 python3.13 python3; do
    if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
      echo "$name" && return
    fi
  done
}

make_venv() {
  local python
  python=$(find_python)
  [ -n "$python" ] || { say "Python 3.11 or newer is needed. 需要 Python 3.11 或更高版本。"; exit 1; }
  say "· virtual environment (.venv) with $("$python" --version)"
  rm -rf .venv
  "$python" -m venv .venv || {
    say "The venv module is missing: apt install python3-venv (Debian, Ubuntu). 缺少 venv 模块，请安装 python3-venv。"
    rm -rf .venv
    exit 1
  }
}

install_packages() { # file, stamp, hash
  if [ ! -x .venv/bin/uv ]; then
    say "· uv (pinned by hash)"
    awk '/^uv==/ {on=1} on {print} on && !/\\$/ {exit}' requirements-dev.txt >.venv/uv.txt
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r .venv/uv.txt
  fi
  say "· Python packages from $1"
  VIRTUAL_ENV="$PWD/.venv" .venv/bin/uv pip install --quiet --require-hashes -r "$1"
  echo "$3" >"$2"
}

set_up_python() {
  if [ ! -x .venv/bin/python ] || ! .venv/bin/python -c '' 2>/dev/null; then make_venv; fi
  local for_run for_dev
  for_run=$(hash_of requirements.txt)
  for_dev=$(hash_of requirements-dev.txt)
  is_stamped .venv/.dev "$for_dev" && return
  if [ "$purpose" = run ]; then
    is_stamped .venv/.run "$for_run" || install_packages requirements.txt .venv/.run "$for_run"
  else
    install_packages requirements-dev.txt .venv/.dev "$for_dev"
  fi
}

# ── Front end ─────────────────────────────────────────────────────────────────────────────────────────────
set_up_pages() {
  local sources for_pages for_modules needs_build=no
  sources=$(find frontend/src frontend/public frontend/*.json frontend/*.ts frontend/*.html -type f 2>/dev/null | LC_ALL=C sort || true)
  for_pages=$(printf '%s' "$sources" | (xargs sha256sum 2>/dev/null || xargs shasum -a 256) | hash_of -)
  for_modules=$(hash_of frontend/package-lock.json frontend/package.json)
  is_stamped frontend/dist/.stamp "$for_pages" || needs_build=yes
  if [ "$purpose" = run ] && [ "$needs_build" = no ]; then
    return # the pages are there: Node.js is not needed
  fi
  if ! command -v npm >/dev/null || ! node -e 'process.exit(Number(parseInt(process.versions.node) < 20))' 2>/dev/null; then
    say "Node.js 20 or newer with npm is needed to build the pages, and was not found. Install it (nodejs.org, or your"
    say "system's packages) and start again; a release package carries the built pages and needs no Node.js."
    say "构建网页需要 Node.js 20 或更高版本（含 npm），当前未找到。请安装后重试；正式发布包已包含构建好的网页，无需 Node.js。"
    exit 1
  fi
  if ! is_stamped frontend/node_modules/.stamp "$for_modules"; then
    say "· front-end packages (npm ci)"
    (cd frontend && npm ci --no-audit --no-fund --no-update-notifier --loglevel=error >/dev/null)
    echo "$for_modules" >frontend/node_modules/.stamp
  fi
  if [ "$needs_build" = yes ] && [ "$purpose" != check ]; then
    say "· pages (vite build)"
    (cd frontend && npx vite build --logLevel warn)
    echo "$for_pages" >frontend/dist/.stamp
  fi
}

# Side by side: one waits for the network while the other unpacks.
set_up_pages &
pages=$!
trap 'kill $pages 2>/dev/null || true' EXIT
set_up_python
wait $pages
