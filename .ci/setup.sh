#!/usr/bin/env bash
# Makes .venv with animalmm in it (editable, with its development tools), and installs the system
# packages that CHOLMOD needs when they are absent and may be installed. Where they may not, the
# rest works without: SciPy's SuperLU serves in place of CHOLMOD.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.venv
system_packages=(python3-dev python3-venv gcc g++ libc6-dev libsuitesparse-dev libopenblas-dev)
include=(-I/usr/include/suitesparse ${CONDA_PREFIX:+"-I$CONDA_PREFIX/include"})

say() { printf 'setup: %s\n' "$*" >&2; }

find_python() { # the first interpreter that is new enough and can make a venv
    local candidate
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
            2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

can_build() { # are there compilers, with the headers of this Python and of CHOLMOD?
    local headers
    command -v c++ >/dev/null || return # scikit-sparse 0.5 links with it
    headers=$("$1" -c 'import sysconfig; print(sysconfig.get_path("include"))')
    printf '#include <Python.h>\n#include <cholmod.h>\nint main(void) { return 0; }\n' |
        cc "${include[@]}" "-I$headers" ${CONDA_PREFIX:+"-L$CONDA_PREFIX/lib"} \
            -x c - -lcholmod -o /dev/null 2>/dev/null
}

install_system_packages() {
    local as_root=()
    command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || return 1
        as_root=(sudo)
        [ -t 0 ] || as_root=(sudo -n) # nobody there to type a password
    fi
    say "installing ${system_packages[*]}"
    { "${as_root[@]}" apt-get update -q &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -q -y --no-install-recommends "${system_packages[@]}"; } >&2
}

if ! python=$(find_python) || ! can_build "$python"; then
    install_system_packages || say "no system packages could be installed; going on without"
    if ! python=$(find_python); then
        say "Python 3.11 or newer, with its venv module, is needed; PYTHON=/path/to/it names one"
        exit 1
    fi
fi

"$venv/bin/python" -m pip --version >/dev/null 2>&1 || "$python" -m venv --clear "$venv"
pip=("$venv/bin/python" -m pip install --quiet --disable-pip-version-check)

if can_build "$python"; then
    say "installing animalmm with CHOLMOD into $venv"
    "${pip[@]}" --editable ".[cholmod,dev]" && exit
    say "scikit-sparse could not be built"
fi
say "installing animalmm without CHOLMOD into $venv: SciPy's SuperLU serves, correct but slower"
"${pip[@]}" --editable ".[dev]"
