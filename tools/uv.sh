#!/bin/sh
# Run uv: the one on PATH, else one of our own in .venv-uv, which any Python 3.8 or newer can install.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
own=$root/.venv-uv

if command -v uv >/dev/null; then
    exec uv "$@"
fi

# Every Python on PATH and in pyenv, one a line.
pythons() {
    IFS=:
    for folder in $PATH; do
        ls -d "${folder:-.}/python3" "${folder:-.}/python" || true
    done
    ls -d "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python || true
}

if [ ! -x "$own/bin/uv" ]; then
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    IFS='
'    # a line is a path, which may hold spaces
    for python in $(pythons 2>/dev/null); do
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 8))' 2>/dev/null || continue
        rm -rf "$own"
        # Some systems leave venv out of Python; there pip can still install into a folder.
        { "$python" -m venv "$own" && "$own/bin/python" -m pip install --only-binary :all: uv; } >>"$log" 2>&1 ||
            { rm -rf "$own" && "$python" -m pip install --only-binary :all: --target "$own" uv; } >>"$log" 2>&1 ||
            continue
        break
    done
    if [ ! -x "$own/bin/uv" ]; then
        rm -rf "$own"
        cat "$log" >&2
        echo "uv is not on PATH, and no Python 3 here could install it." >&2
        exit 1
    fi
    rm -f "$log"
fi
exec "$own/bin/uv" "$@"
