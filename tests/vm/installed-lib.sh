# What the scripts share that run in the installed system of tests/vm/debian. Sourced there, with $OUT set.
fail() {
    echo "${0##*/}: $*" >&2
    journalctl --boot --no-pager --lines 40 --quiet >&2
    exit 1
}
as_anna() { su - anna -c "$*"; }
label() { cat "/sys/class/video4linux/video$1/name"; }

# wait_for SECONDS COMMAND...: until the command succeeds. Nothing is judged by the limit.
wait_for() {
    local end=$((SECONDS + 4 * $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || { echo "waited in vain for: $*"; return 1; }
        sleep 0.5
    done
}

# files: all files of the disk with owner, rights, size and target, and what is in those of /etc and the homes. What the
# system itself writes as it runs is left out.
files() {
    find / -xdev '(' -path /tmp -o -path /var/tmp -o -path /var/log -o -path /var/cache -o -path /var/lib/systemd ')' -prune \
        -o '(' -type f -o -type l -o -type d -o -type p ')' ! -path /etc/resolv.conf -printf '%p %y %M %U:%G %l ' \
        '(' -type d -printf '\n' -o -printf '%s\n' ')' | sort
    find /etc /home -xdev -type f -print0 | sort -z | xargs -0 sha256sum
}

# install_greenroom PROGRAM: as a package would, with its polkit action and no unit: set-up writes those.
install_greenroom() {
    cp "$1" /usr/bin/greenroom
    chmod 755 /usr/bin/greenroom
    cp "${0%/*}/../../packaging/polkit/org.greenroom.setup.policy" /usr/share/polkit-1/actions/
    as_anna 'mkdir -p ~/.config/greenroom ~/.local/share'
    # What is looked at is the path, not who watches it: the guest has no AVX2, and the small network leaves it time.
    as_anna 'cat >~/.config/greenroom/config.toml' <<'END'
camera = "/dev/video0"
size = "320x180"
fps = 10
model = "landscape"
scene = "green"
[scenes.green]
background = "#00b140"
END
}

# refuses CODE WORDS COMMAND...: the exit code, the words, and a sentence of greenroom's.
refuses() {
    local wanted=$1 words=$2 said code
    shift 2
    said=$("$@" 2>&1)
    code=$?
    [ $code = "$wanted" ] || fail "exit code $code instead of $wanted from: $*: $said"
    grep -q '^greenroom: ' <<<"$said" && grep -qF -- "$words" <<<"$said" || fail "\"$said\" does not say \"$words\""
    echo "refused: $(grep -F -- "$words" <<<"$said" | head -n 1)"
}
