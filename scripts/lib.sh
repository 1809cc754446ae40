# Shared by the scripts beside it, which source it. Bash 3.2 (macOS) or newer.
# Nothing is written outside the checkout but pip's cache and, where a Docker engine has to be installed, its packages.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
VENV="$ROOT/.venv"
PY="$VENV/bin/python"

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

can_apt() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

apt_install() {
    say "installing with apt: $*"
    apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# Print the interpreter to use: $PYTHON, or the newest known one that is Python 3.11 or newer.
choose_python() {
    local name
    if [ -n "${PYTHON:-}" ]; then
        new_enough "$PYTHON" || die "PYTHON=$PYTHON is not Python 3.11 or newer"
        command -v "$PYTHON"
        return
    fi
    for name in python3.13 python3.12 python3.11 python3.14 python3; do
        if command -v "$name" >/dev/null && new_enough "$name"; then
            command -v "$name"
            return
        fi
    done
    die "no Python 3.11 or newer found: install one, or name it with PYTHON=/path/to/python"
}

# Debian ships ensurepip apart from Python.
need_ensurepip() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null && return
    local package
    package="$("$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
    can_apt || die "$1 cannot make virtual environments: install the package $package (or python3-venv)"
    apt_install "$package"
}

# Make .venv, or bring it up to date, when pyproject.toml or the lock asks for something else than what was installed last.
# setup_venv [dev]: what swesearch needs, or with it what its tests need. Only what requirements/*.txt pins, by its hashes.
setup_venv() {
    local name="${1:-core}" stamp="$VENV/installed" wanted python
    wanted="$(cat "$ROOT/pyproject.toml" "$ROOT/requirements/$name.txt" | cksum)"
    [ -x "$PY" ] && grep -qsxF "$wanted $name" "$stamp" && return
    command -v git >/dev/null || die "git is missing: install it first"
    python="$(choose_python)"
    need_ensurepip "$python"
    say "setting up $VENV with $python"
    [ -x "$PY" ] && new_enough "$PY" || "$python" -m venv --clear "$VENV"
    "$PY" -m pip --version >/dev/null 2>&1 || "$PY" -m ensurepip >/dev/null
    install_locked "$ROOT/requirements/$name.txt" || die "pip could not install what requirements/$name.txt pins"
    printf '%s\n' "$wanted $name" >"$stamp"
    # Who has the tests' packages has swesearch's too.
    [ "$name" = core ] || printf '%s core\n' "$(cat "$ROOT/pyproject.toml" "$ROOT/requirements/core.txt" | cksum)" >>"$stamp"
}

# With uv, itself pinned, which takes half of pip's time; with pip where only pip's own configuration knows the package index.
install_locked() {
    local quiet="-q --disable-pip-version-check"
    awk '/^[^ ]/ { ours = /^uv==/ } ours' "$1" >"$VENV/uv.txt"
    "$PY" -m pip install $quiet --require-hashes --no-deps -r "$VENV/uv.txt" \
        && "$PY" -m uv pip install -q --compile-bytecode --python "$PY" --require-hashes --no-deps -r "$1" \
        && "$PY" -m uv pip install -q --python "$PY" --no-build-isolation --no-deps -e "$ROOT" \
        || { "$PY" -m pip install $quiet --require-hashes --no-deps -r "$1" \
            && "$PY" -m pip install $quiet --no-build-isolation --no-deps -e "$ROOT"; }
}

docker_answers() { "$PY" -W ignore -c 'import docker; docker.from_env(timeout=10).ping()' >/dev/null 2>&1; }

# Where root and apt are there, have a Docker engine that answers. Elsewhere say what is missing: the Docker tests are then skipped,
# and swesearch takes bubblewrap where that works.
setup_docker() {
    docker_answers && return
    if ! can_apt || [ -n "${DOCKER_HOST:-}" ]; then
        say "no Docker engine answers. Start or install Docker to use it; with root and apt this script does that by itself"
        return
    fi
    command -v dockerd >/dev/null && command -v debootstrap >/dev/null && command -v bwrap >/dev/null \
        || apt_install docker.io debootstrap bubblewrap ca-certificates \
        || { say "apt could not install docker.io"; return; }
    start_dockerd
}

# Where root and apt are there, have a Chromium for the tests of pages. Elsewhere they are skipped where none is found.
setup_browser() {
    command -v chromium chromium-browser google-chrome >/dev/null && return
    if can_apt; then
        apt_install chromium || say "apt could not install chromium"
    else
        say "no Chromium is installed: the tests of pages need one (Debian: apt install chromium)"
    fi
}

# Start dockerd detached, so that it outlives this script and its terminal and is no child of what runs next, and wait until it answers.
start_dockerd() {
    local log="$VENV/dockerd.log" tries
    docker_answers && return  # the package may have started it
    say "starting dockerd (log: $log)"
    setsid --fork dockerd >"$log" 2>&1 </dev/null
    for tries in $(seq 60); do
        docker_answers && return
        sleep 0.5
    done
    say "dockerd did not start; the end of its log:"
    tail -n 5 "$log" >&2
}
