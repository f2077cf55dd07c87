#!/usr/bin/env bash
# tools/matrix.sh [PYTEST OPTION...]
# Runs the tests under each Python from 3.11 to 3.13 that is here, each with another line of jaxlib (and of ArviZ).
set -uo pipefail
cd "$(dirname "$0")/.."

pins() {
    case $1 in
        3.11) echo 'jaxlib==0.10.2 arviz==0.23.*' ;;
        3.12) echo 'jaxlib==0.11.2 arviz==0.23.*' ;;
        3.13) echo 'jaxlib==0.12.0.1 arviz>=1,<2' ;;
    esac
}

find_python() {                                   # the first that runs (a shim may not) and can make environments
    local candidate
    while read -r candidate; do
        if "$candidate" -c "import sys, venv, ensurepip; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" \
            </dev/null >/dev/null 2>&1; then echo "$candidate"; return; fi
    done < <(type -ap "python$1"; ls -d "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python 2>/dev/null)
    return 1
}

export XLA_FLAGS=${XLA_FLAGS-}                    # set: conftest.py leaves XLA as users have it

log=$(mktemp)
trap 'rm -f "$log"' EXIT
summary=() ran=0 failed=0
for version in 3.11 3.12 3.13; do
    if ! python=$(find_python "$version"); then summary+=("$version  not found on this machine"); continue; fi
    read -ra wanted <<<"$(pins "$version")"
    ran=1
    echo "== Python $version, ${wanted[*]}"
    if ! tools/venv.sh ".venv-$version" "$python" "${wanted[@]}"; then
        summary+=("$version  FAILED  could not be installed"); failed=1; continue
    fi
    if ".venv-$version/bin/python" -m pytest -n "${JOBS:-2}" --dist worksteal "$@" 2>&1 | tee "$log"
    then outcome=passed; else outcome=FAILED; failed=1; fi
    summary+=("$version  $outcome  ${wanted[*]}  $(tail -n 1 "$log" | tr -d '=')")
done
echo
printf '%s\n' "${summary[@]}"
if ((!ran)); then echo 'no Python from 3.11 to 3.13 was found' >&2; exit 1; fi
exit "$failed"
