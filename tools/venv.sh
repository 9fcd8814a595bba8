#!/bin/sh
# Bring a virtual environment up to date, and do nothing while nothing changed.
#
#   tools/venv.sh .venv requirements/runtime.txt [--package]
#
# Installs the requirements file, with its hashes checked, and with --package this checkout on top (editable).
# What was installed is remembered in files inside the environment, by content: a fresh checkout of the same files
# installs nothing, and an environment that was moved with its checkout, or whose Python is gone, is made anew.
set -eu
cd "$(dirname "$0")/.."
venv=$1
requirements=$2
package=${3:-}

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Run a command without its chatter; show all of it when it fails.
quietly() {
    if ! "$@" >"$log" 2>&1; then
        cat "$log" >&2
        echo "Failed: $*" >&2
        exit 1
    fi
}

# Whether stamp $1 says $2.
is_done() {
    [ -f "$venv/$1" ] && [ "$(cat "$venv/$1")" = "$2" ]
}

# Python compiles what is imported when it is imported: doing it here for everything takes longer.
install() {
    quietly "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --no-compile "$@"
}

if ! [ -x "$venv/bin/python" ] || ! is_done .made-in "$PWD"; then
    python=$(tools/find-python.sh)
    echo "Creating $venv with Python $("$python" -c 'import platform; print(platform.python_version())')"
    quietly "$python" -m venv --clear "$venv"
    echo "$PWD" >"$venv/.made-in"
fi

stamp=.installed-$(basename "$requirements" .txt)
content=$(cksum <"$requirements")
if ! is_done "$stamp" "$content"; then
    echo "Installing $(grep '^[a-z0-9]' "$requirements" | grep -vc win32) packages of $requirements"
    install --require-hashes --requirement "$requirements"
    echo "$content" >"$venv/$stamp"
fi

if [ "$package" = --package ]; then
    content=$(cksum <pyproject.toml)
    if ! is_done .installed-package "$content"; then
        echo "Installing synapse_sdk in place"
        install --no-deps --no-build-isolation --editable .
        echo "$content" >"$venv/.installed-package"
    fi
fi
