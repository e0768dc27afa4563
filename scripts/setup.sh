#!/usr/bin/env bash
# Sets up what is missing: scripts/setup.sh run|check|dev [python|pages] (checks need no built pages, and no packages that only
# tests use). Quick when nothing has changed (stamps hold hashes of the inputs).
set -euo pipefail
cd "$(dirname "$0")/.."
purpose=${1:-dev}
part=${2:-both}

say() { printf '%s\n' "$*" >&2; }
hash_of() { cat "$@" | (sha256sum 2>/dev/null || shasum -a 256) | cut -d' ' -f1; }
is_stamped() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }
one_at_a_time() { # part; where flock exists
  exec 9>".setup.$1.lock"
  flock 9 2>/dev/null || true
}

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
  "$python" -m venv --without-pip .venv
}

# uv installs everything else. A pip beside the Python at hand fetches it in half the time that a pip of .venv's own needs to be there.
install_uv() {
  local fetch=(install --quiet --disable-pip-version-check --require-hashes --no-deps -r .venv/uv.txt)
  say "· uv (pinned by hash)"
  awk '/^uv==/ {on=1} on {print} on && !/\\$/ {exit}' requirements-check.txt >.venv/uv.txt
  "$(find_python)" -m pip --python .venv/bin/python "${fetch[@]}" 2>/dev/null && return
  .venv/bin/python -m ensurepip >/dev/null 2>&1 || {
    say "The venv module is missing: apt install python3-venv (Debian, Ubuntu). 缺少 venv 模块，请安装 python3-venv。"
    rm -rf .venv
    exit 1
  }
  .venv/bin/python -m pip "${fetch[@]}"
}

install_packages() { # list
  [ -x .venv/bin/uv ] || install_uv
  say "· Python packages from $1"
  VIRTUAL_ENV="$PWD/.venv" .venv/bin/uv pip install --quiet --require-hashes -r "$1"
  hash_of "$1" >".venv/.$purpose"
}

set_up_python() {
  one_at_a_time python
  if [ ! -x .venv/bin/python ] || ! .venv/bin/python -c '' 2>/dev/null; then make_venv; fi
  is_stamped .venv/.dev "$(hash_of requirements-dev.txt)" && return # includes what running and checking need
  local list=requirements-$purpose.txt
  [ "$purpose" != run ] || list=requirements.txt
  is_stamped ".venv/.$purpose" "$(hash_of "$list")" || install_packages "$list"
}

# ── Front end ─────────────────────────────────────────────────────────────────────────────────────────────
set_up_pages() {
  one_at_a_time pages
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

case $part in
  python) set_up_python ;;
  pages) set_up_pages ;;
  *) # side by side: one waits for the network while the other unpacks
    set_up_pages &
    pages=$!
    trap 'kill $pages 2>/dev/null || true' EXIT
    set_up_python
    wait $pages
    ;;
esac
