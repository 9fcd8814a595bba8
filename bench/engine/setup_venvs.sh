#!/bin/sh
# Create one virtual environment an engine, with pinned versions: setup_venvs.sh [NAME...]      (without names: all)
# An environment that is complete is left alone. PYTHON chooses the interpreter, BENCH_DIR and BENCH_VENVS the places.
set -eu
python=${PYTHON:-python3.12}
venvs=${BENCH_VENVS:-${BENCH_DIR:-.bench}/venvs}

packages() {
    case $1 in
    synapse)  echo "synapse-sdk==2026.2.17" ;; # the existing implementation
    hamilton) echo "sf-hamilton==1.90.0" ;;
    burr)     echo "burr==0.42.0" ;;
    luigi)    echo "luigi==3.8.1" ;;
    dagster)  echo "dagster==1.13.29" ;;
    prefect)  echo "prefect==3.8.8 fastapi==0.144.0" ;; # with fastapi 0.165 its server dies: Body(min_items=...) is gone
    dbos)     echo "dbos==3.4.0 psycopg[binary]==3.3.9 pysqlite3-binary==0.5.4.post2" ;; # needs SQLite 3.42, newer than some systems have
    *)        echo "unknown environment: $1" >&2; return 1 ;;
    esac
}

[ $# -gt 0 ] || set -- synapse hamilton burr luigi dagster prefect dbos
for name; do
    wanted=$(packages "$name")
    if [ "$(cat "$venvs/$name/.installed" 2>/dev/null)" = "$wanted" ]; then
        echo "$name: ready"
        continue
    fi
    echo "$name: installing $wanted"
    "$python" -m venv --clear "$venvs/$name"
    # shellcheck disable=SC2086  # a list of words
    "$venvs/$name/bin/pip" install --quiet --disable-pip-version-check $wanted
    echo "$wanted" > "$venvs/$name/.installed"
done
