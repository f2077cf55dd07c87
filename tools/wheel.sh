#!/usr/bin/env bash
# tools/wheel.sh PYTHON     (one that has the package `build`)
# Builds the wheel into dist/, installs it into an empty environment and imports it there.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$PWD/$1
away=$(mktemp -d)
trap 'rm -rf "$away"' EXIT

rm -rf build dist                                 # an old build/ would put removed modules into the wheel
"$python" -m build --wheel --outdir dist . >"$away/build.log" 2>&1 || { cat "$away/build.log"; exit 1; }
rm -rf build
"$python" -m venv "$away/venv"
"$away/venv/bin/python" -m pip install --quiet --disable-pip-version-check dist/*.whl

cd "$away"
env -u PYTHONPATH venv/bin/python - <<'PY'
import pathlib
import sys

import chainrule
import chainrule.distributions
import chainrule.engine.numpy as np
import chainrule.inference
import chainrule.ppl

place = pathlib.Path(chainrule.__file__).resolve()
assert place.is_relative_to(pathlib.Path(sys.prefix).resolve()), f"chainrule came from {place}"
total = np.arange(3.0).sum()
print(total)
assert float(total) == 3.0
PY
cd - >/dev/null
echo "the wheel installs and imports: $(echo dist/*.whl)"
