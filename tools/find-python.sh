#!/bin/sh
# Print the path of a Python the package runs on: CPython 3.12 or newer that can make virtual environments.
#
# Looked for in this order, and tried by running it (a pyenv shim can be there and fail):
#   1. $PYTHON, when set: that one or none
#   2. PATH
#   3. the versions of pyenv
#   4. the versions of uv, after asking uv to install one
set -eu
tools=$(cd "$(dirname "$0")" && pwd)
wanted=3.12

# Print the real path of interpreter $1, or fail.
try() {
    [ -x "$1" ] && "$1" -I -c '
import ensurepip, sys, venv
if sys.implementation.name != "cpython" or sys.version_info < (3, 12):
    sys.exit(1)
print(sys.executable)' 2>/dev/null
}

# Try the files given, which are often patterns that match nothing.
try_each() {
    for candidate in "$@"; do
        try "$candidate" && return
    done
    return 1
}

on_path() {
    for name in python3.12 python3.13 python3.14 python3 python; do
        (
            IFS=:
            for folder in $PATH; do
                try "${folder:-.}/$name" && exit
            done
            exit 1
        ) && return
    done
    return 1
}

in_pyenv() {
    try_each "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python
}

in_uv() {
    try_each "${UV_PYTHON_INSTALL_DIR:-${XDG_DATA_HOME:-$HOME/.local/share}/uv/python}"/cpython-3.*/bin/python3
}

if [ -n "${PYTHON:-}" ]; then
    try "$(command -v "$PYTHON" || true)" && exit
    echo "PYTHON=$PYTHON is not a CPython $wanted or newer with the modules venv and ensurepip." >&2
    exit 1
fi
on_path || in_pyenv || in_uv && exit

echo "No Python $wanted or newer on PATH or in pyenv: getting one with uv" >&2
UV_PYTHON_INSTALL_BIN=0 "$tools/uv.sh" python install "$wanted" >&2 && in_uv && exit
cat >&2 <<EOF

synapse_sdk needs Python $wanted or newer, with its venv module. None was found, and uv could not get one (see above).
Install one, for instance with
    apt-get install python$wanted python$wanted-venv    on Debian and Ubuntu
    brew install python@$wanted                      on macOS
    pyenv install $wanted                            anywhere
or name one that is there: PYTHON=/path/to/python$wanted make ...
EOF
exit 1
