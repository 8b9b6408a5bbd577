# What the scripts of this folder that run on the host share. Sourced; afterwards the current folder is the repository.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
mkdir -p "${CARGO_TARGET_DIR:-target}"
target=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)

# one_at_a_time: until this script ends, no other script that calls this goes on. Several guests may be prepared side by
# side.
one_at_a_time() {
    exec 9>"$target/vm-host.lock"
    flock 9
}

# What faults, restarts and plugs do to threads that run at the same time is tried on two processors, where nothing is
# judged by time; the short forms run on one, whose clock does not depend on the host.
concurrently=(--processors 2)

# put NEW OLD: the file OLD becomes NEW. A guest that is reading OLD goes on reading what it opened, and a file that is
# the same already is not touched.
put() {
    cmp -s "$1" "$2" && return
    cp "$1" "$2.new"
    mv "$2.new" "$2"
}
