# Sourced by ./test and ./demo: installs what a build needs where it is missing, and leaves alone what is there.
# shellcheck shell=bash

rust_wanted=1.95
export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# apt_install PACKAGE..: one update a run is enough.
apt_install() {
    echo "installing $*" >&2
    if [ -z "${apt_updated:-}" ]; then
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update >&2
        apt_updated=1
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >&2
}

rust_is_there() {
    local have
    have=$(cargo --version 2>/dev/null | cut -d' ' -f2) || return 1
    [ -n "$have" ] && [ "$(printf '%s\n%s\n' "$rust_wanted" "$have" | sort -V | head -n 1)" = "$rust_wanted" ] &&
        cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1
}

# The embedded database, the Kafka client, zstd and the allocator are C; the client builds with make, and takes the system's TLS.
if ! command -v cc >/dev/null || ! printf '#include <stdlib.h>\n' | cc -E - >/dev/null 2>&1; then
    apt_install gcc libc6-dev
fi
if ! command -v c++ >/dev/null || ! command -v make >/dev/null || ! pkg-config --exists openssl 2>/dev/null; then
    apt_install g++ make pkg-config libssl-dev
fi

if ! rust_is_there; then
    if ! command -v rustup >/dev/null; then
        apt_install ca-certificates
        # Debian has it since 13.
        apt_install rustup || { echo "install rustup, then run this again: it is not among this system's packages" >&2; exit 1; }
    fi
    # This very release, since lints differ from one to the next.
    rustup toolchain install "$rust_wanted" --profile minimal --component clippy --component rustfmt
    export RUSTUP_TOOLCHAIN=$rust_wanted
    rust_is_there || { echo "cargo $rust_wanted or newer is needed" >&2; exit 1; }
fi
