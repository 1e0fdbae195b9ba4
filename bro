#!/bin/sh
# Brobygger. Makes .venv from the lock files on first use (and again when they change), then runs the
# command line. Any POSIX sh. Says nothing when there is nothing to do.
set -eu

say() { printf 'bro: %s\n' "$*" >&2; }

give_up() {
    say "$*"
    exit 3
}

# The project's own folder, also when called through a link. The caller's folder stays the current one.
self=$0
while [ -L "$self" ]; do
    link=$(readlink "$self")
    case $link in
        /*) self=$link ;;
        *) self=$(dirname "$self")/$link ;;
    esac
done
root=$(CDPATH='' cd "$(dirname "$self")" && pwd -P)
venv=$root/.venv
lock=$venv/.installing

find_python() {
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    give_up "Python 3.11 or newer is needed and was not found; on Debian/Ubuntu: apt-get install python3 python3-venv"
}

# Debian keeps ensurepip in a package of its own; without it `python3 -m venv` fails half-way.
need_ensurepip() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null && return
    package=python$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv
    if [ "$(id -u)" = 0 ]; then
        as_root='env'
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        as_root='sudo -n env'
    else
        give_up "Python cannot make a virtual environment here; install it first: apt-get install $package"
    fi
    command -v apt-get >/dev/null || give_up "Python lacks ensurepip, which 'python3 -m venv' needs; install it first"
    say "installing the Debian package $package, which 'python3 -m venv' needs"
    $as_root apt-get update -qq >/dev/null || say "apt-get update failed; trying with the lists there are"
    $as_root DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null ||
        give_up "that failed; install it by hand: apt-get install $package"
}

fingerprint() { sha256sum "$root/$1" | cut -d ' ' -f 1; }

# Stamps are written last, so an interrupted install is not taken for a finished one.
installed() {
    [ -x "$venv/bin/python" ] && [ -f "$venv/.installed-$1" ] &&
        [ "$(cat "$venv/.installed-$1")" = "$(fingerprint "$1")" ]
}

all_installed() {
    for file in $wanted; do installed "$file" || return 1; done
}

let_go() { rm -rf "$lock"; }

# One install at a time; a lock whose owner is dead is taken over.
take_lock() {
    mkdir -p "$venv"
    told=no
    unowned=0
    until mkdir "$lock" 2>/dev/null; do
        owner=$(cat "$lock/pid" 2>/dev/null || true)
        if [ -z "$owner" ]; then
            unowned=$((unowned + 1))
        elif ! [ -d "/proc/$owner" ] && ! kill -0 "$owner" 2>/dev/null; then
            unowned=100
        fi
        if [ "$unowned" -ge 10 ]; then
            unowned=0
            mv "$lock" "$lock.$$" 2>/dev/null && rm -rf "$lock.$$"
            continue
        fi
        if [ $told = no ]; then
            say "another bro is installing; waiting for it"
            told=yes
        fi
        sleep 1
    done
    trap let_go EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    echo $$ >"$lock/pid"
}

install() {
    if ! "$venv/bin/python" -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$(find_python)
        need_ensurepip "$python"
        rm -rf "$venv/bin" "$venv/include" "$venv/lib" "$venv/lib64" "$venv/pyvenv.cfg" "$venv"/.installed-*
        "$python" -m venv "$venv" || give_up "'$python -m venv $venv' failed"
    fi
    for file in $wanted; do
        if installed "$file"; then continue; fi
        say "installing $(grep -c '^[A-Za-z0-9]' "$root/$file") packages of $file into .venv (once; a minute or two) ..."
        rm -f "$venv/.installed-$file"
        "$venv/bin/python" -m pip install --quiet --quiet --disable-pip-version-check --no-input \
            --require-hashes --requirement "$root/$file" >&2 ||
            give_up "that failed (the reason stands above); run the same command again to go on from here"
        fingerprint "$file" >"$venv/.installed-$file"
    done
    say "ready"
}

wanted=requirements.lock
case "${1-} ${2-}" in
    # The tests need more, and so does whoever holds an adapter to its promises: records are made up for it.
    "test "* | "adapter conform") wanted="$wanted requirements-dev.lock" ;;
esac

if ! all_installed; then
    take_lock
    if ! all_installed; then install; fi
    let_go
    trap - EXIT INT TERM HUP
fi

# -P: a folder named hub where the caller stands must not be taken for ours.
PYTHONPATH=$root exec "$venv/bin/python" -P -m hub "$@"
