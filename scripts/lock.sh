#!/usr/bin/env bash
# Locks the direct requirements with hashes for every platform. No registry's address gets into the files.
set -euo pipefail
cd "$(dirname "$0")/.."
for name in requirements requirements-spark requirements-check requirements-dev; do
  .venv/bin/uv pip compile --quiet --generate-hashes --universal --no-header --no-emit-index-url "$name.in" -o "$name.txt"
done
(cd frontend && npm install --package-lock-only --no-audit --no-fund)
