# What the scripts beside this file share: they run on a fresh Debian or Ubuntu machine.
set -euo pipefail
# Where the user stands: the names of files on the command line are meant from there.
stand=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '\n== %s\n' "$*" >&2; }
fail() { printf 'greenroom: %s\n' "$*" >&2; exit 1; }

# install PACKAGE...: those that are missing, with apt.
install() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    say "installing: ${missing[*]}"
    local root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || fail "these packages are missing: ${missing[*]}; install them as root"
        root=(sudo)
    fi
    "${root[@]}" apt-get update -qq
    # dpkg is chatty; its words are of use only when it fails.
    local log
    log=$(mktemp)
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
        "${missing[@]}" >"$log" 2>&1 || { cat "$log" >&2; fail "apt could not install: ${missing[*]}"; }
    rm -f "$log"
}

# need COMMAND PACKAGE: the command from anywhere, else the package (Node.js may come from elsewhere).
need() { command -v "$1" >/dev/null || install "$2"; }

# prepare_build [CARGO-OPTION...]: what it takes to build greenroom, and its assets. The options are those of the build that
# follows (--release): what both have in common is built once.
prepare_build() {
    install gcc libc6-dev pkg-config libturbojpeg0-dev libpipewire-0.3-dev clang ffmpeg
    need npm npm
    command -v cargo >/dev/null || [ ! -x "$HOME/.cargo/bin/cargo" ] || PATH=$HOME/.cargo/bin:$PATH
    if ! command -v cargo >/dev/null; then
        # Debian 13 and newer Ubuntus have rustup; Debian 12 has only a Rust that is too old.
        apt-cache policy rustup 2>/dev/null | grep -q 'Candidate: [0-9]' && install rustup && rustup default stable
    fi
    command -v cargo >/dev/null ||
        fail "Rust 1.92 or newer is needed and this system has none; install it with rustup (rustup.rs), then run this again"
    local have
    have=$(rustc --version | awk '{print $2}')
    printf '1.92.0\n%s\n' "$have" | sort -CV || fail "Rust $have is too old; run: rustup update stable"
    say "getting the networks and the demo clip (half a minute the first time)"
    cargo run --quiet "$@" --package xtask-assets
}
