#!/usr/bin/env bash
# Sets up what is missing: scripts/setup.sh run|dev. Quick when nothing has changed (stamps hold hashes of the inputs).
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

if [ ! -x .venv/bin/python ] || ! .venv/bin/python -c '' 2>/dev/null; then
  python=$(find_python)
  [ -n "$python" ] || { say "Python 3.11 or newer is needed. 需要 Python 3.11 或更高版本。"; exit 1; }
  say "· virtual environment (.venv) with $("$python" --version)"
  rm -rf .venv
  "$python" -m venv .venv || {
    say "The venv module is missing: apt install python3-venv (Debian, Ubuntu). 缺少 venv 模块，请安装 python3-venv。"
    rm -rf .venv
    exit 1
  }
fi

wanted_run=$(hash_of requirements.txt)
wanted_dev=$(hash_of requirements-dev.txt)
install() { # file, stamp, hash
  if [ ! -x .venv/bin/uv ]; then
    say "· uv (pinned by hash)"
    awk '/^uv==/ {on=1} on {print} on && !/\\$/ {exit}' requirements-dev.txt >.venv/uv.txt
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r .venv/uv.txt
  fi
  say "· Python packages from $1"
  VIRTUAL_ENV="$PWD/.venv" .venv/bin/uv pip install --quiet --require-hashes -r "$1"
  echo "$3" >"$2"
}
if [ "$purpose" = run ]; then
  is_stamped .venv/.dev "$wanted_dev" || is_stamped .venv/.run "$wanted_run" ||
    install requirements.txt .venv/.run "$wanted_run"
else
  is_stamped .venv/.dev "$wanted_dev" || install requirements-dev.txt .venv/.dev "$wanted_dev"
fi

# ── Front end ─────────────────────────────────────────────────────────────────────────────────────────────
sources=$(find frontend/src frontend/public frontend/*.json frontend/*.ts frontend/*.html -type f 2>/dev/null | LC_ALL=C sort || true)
wanted_pages=$(printf '%s' "$sources" | (xargs sha256sum 2>/dev/null || xargs shasum -a 256) | hash_of -)
wanted_modules=$(hash_of frontend/package-lock.json frontend/package.json)
needs_modules=no
is_stamped frontend/node_modules/.stamp "$wanted_modules" || needs_modules=yes
needs_build=no
is_stamped frontend/dist/.stamp "$wanted_pages" || needs_build=yes

if [ "$purpose" = run ] && [ "$needs_build" = no ]; then
  exit 0 # the pages are there: Node.js is not needed
fi
if ! command -v npm >/dev/null || ! node -e 'process.exit(Number(parseInt(process.versions.node) < 20))' 2>/dev/null; then
  say "Node.js 20 or newer with npm is needed to build the pages, and was not found. Install it (nodejs.org, or your"
  say "system's packages) and start again; a release package carries the built pages and needs no Node.js."
  say "构建网页需要 Node.js 20 或更高版本（含 npm），当前未找到。请安装后重试；正式发布包已包含构建好的网页，无需 Node.js。"
  exit 1
fi
if [ "$needs_modules" = yes ]; then
  say "· front-end packages (npm ci)"
  (cd frontend && npm ci --no-audit --no-fund --loglevel=error)
  echo "$wanted_modules" >frontend/node_modules/.stamp
fi
if [ "$needs_build" = yes ]; then
  say "· pages (vite build)"
  (cd frontend && npx vite build --logLevel warn)
  echo "$wanted_pages" >frontend/dist/.stamp
fi
