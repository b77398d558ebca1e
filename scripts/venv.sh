#!/bin/sh
# Makes .venv and installs one lock into it: scripts/venv.sh run | dev
# Nothing outside .venv is touched. Safe to repeat, and safe to interrupt: the stamp is written last.
# PYTHON names the interpreter to use; without it the first fitting one on PATH is taken.
set -eu
cd "$(dirname "$0")/.."

set_name=$1
lock=requirements/$set_name.txt
venv_python=.venv/bin/python

fail() {
    echo "$1" >&2
    exit 1
}

version_of() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

fits() {
    case $1 in 3.11 | 3.12 | 3.13 | 3.14) true ;; *) false ;; esac
}

# What is installed, as text: a changed lock or project file makes the stamp stale.
state() {
    "$venv_python" --version
    cat "requirements/$1.txt" pyproject.toml
}

current() {
    [ -f ".venv/.$1-installed" ] && state "$1" 2>/dev/null | cmp -s - ".venv/.$1-installed"
}

# Sets `python`, or ends with one sentence.
choose_python() {
    found=
    without_venv=
    if [ -n "${PYTHON:-}" ]; then
        set -- "$PYTHON"
    else
        set -- python3 python3.14 python3.13 python3.12 python3.11
    fi
    for candidate in "$@"; do
        version=$(version_of "$candidate") || continue
        if ! fits "$version"; then
            found="${found:+$found, }$candidate, which is Python $version"
        elif ! "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
            without_venv=$version
        else
            python=$candidate
            return
        fi
    done
    [ -z "$without_venv" ] || fail "Python $without_venv is here but its venv module is not: install it \
(on Debian or Ubuntu: apt install python$without_venv-venv) and run the same command again."
    [ -n "$found" ] || found=${PYTHON:+"nothing that runs as $PYTHON"}
    fail "Dystonia CDS needs Python 3.11 to 3.14 but found ${found:-no Python}: install one of these, \
or name it, as in: make venv PYTHON=/path/to/python3.13"
}

moved() {
    [ -f .venv/.folder ] && [ "$(cat .venv/.folder)" != "$(pwd -P)" ]
}

usable() {
    ! moved || return 1 # its commands name the folder that they were made in
    version=$(version_of "$venv_python") && fits "$version" && "$venv_python" -c 'import pip' 2>/dev/null || return 1
    [ -z "${PYTHON:-}" ] || [ "$version" = "$(version_of "$PYTHON")" ]
}

install() {
    env -u PYTHONPATH -u PYTHONHOME PIP_USER=0 PIP_REQUIRE_HASHES=0 PIP_DISABLE_PIP_VERSION_CHECK=1 \
        "$venv_python" -m pip install --quiet --no-input "$@"
}

if usable; then
    # The dev lock holds everything the run lock holds.
    if current "$set_name" || current dev; then exit 0; fi
else
    choose_python
    echo "Making .venv with Python $version ($python)"
    "$python" -m venv --clear .venv ||
        fail "The folder .venv could not be made, for the reason given above: mend that and run the same command again."
    pwd -P >.venv/.folder
fi

echo "Installing $lock into .venv"
rm -f .venv/.*-installed
install --require-hashes --only-binary :all: -r "$lock" ||
    fail "The packages of $lock could not be installed, for the reason pip gives above: \
check the network (or the proxy and index in pip's own settings) and run the same command again."
install --no-deps --no-build-isolation -e . ||
    fail "The packages are installed but the project itself could not be, for the reason pip gives above."
"$venv_python" -m compileall -q cds_hooks plugin valuesets || true # where this fails, the first start does it
state "$set_name" >".venv/.$set_name-installed"
