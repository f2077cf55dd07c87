#!/usr/bin/env bash
# tools/venv.sh FOLDER PYTHON [REQUIREMENT...]
# Makes FOLDER a virtual environment of PYTHON that holds chainrule (editable, extras dev and examples) and the
# requirements. Does nothing when it is one already: FOLDER/stamp tells interpreter, place, requirements, pyproject.toml.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1 python=$2
shift 2

describe='
import hashlib, os, sys
if sys.version_info < (3, 11):
    sys.exit(f"chainrule needs Python 3.11 or newer, and this is {sys.version.split()[0]}: choose another with PYTHON=")
print(os.path.realpath(sys._base_executable))     # in a virtual environment: the Python that it was made with
print(sys.version.split()[0], os.getcwd(), *sys.argv[1:])
print(hashlib.sha256(open("pyproject.toml", "rb").read()).hexdigest())
'
wanted=$("$python" -c "$describe" "$@") || { echo "PYTHON=$python cannot be used" >&2; exit 1; }
if [[ -x $folder/bin/python && -f $folder/stamp && $(cat "$folder/stamp") == "$wanted" ]]; then exit 0; fi

base=$(head -n 1 <<<"$wanted")
echo "making $folder with $base"
rm -rf "$folder"
"$base" -m venv "$folder" || {
    rm -rf "$folder"
    echo "$base cannot make a virtual environment (Debian and Ubuntu: install python3-venv), or choose another with PYTHON=" >&2
    exit 1
}
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check -e '.[dev,examples]' "$@"
echo "$wanted" >"$folder/stamp"
