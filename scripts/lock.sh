#!/bin/sh
# Compiles pyproject.toml into the two hashed locks, one for every supported Python: scripts/lock.sh [--upgrade]
# For maintainers. Needs uv; the locks carry names, versions and hashes, and no address.
set -eu
cd "$(dirname "$0")/.."

uv=.venv/bin/uv
[ -x "$uv" ] || uv=$(command -v uv) || {
    echo "Locking needs uv, which is not here: .venv/bin/python -m pip install uv, then run the same command again." >&2
    exit 1
}

compile() {
    "$uv" pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
        --only-binary :all: --no-emit-index-url --no-emit-find-links --no-header "$@"
}

compile --group build --output-file requirements/run.txt "$@"
compile --group build --group dev --constraint requirements/run.txt --output-file requirements/dev.txt "$@"
