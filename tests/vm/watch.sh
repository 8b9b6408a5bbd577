#!/bin/bash
# Who watches a loopback, on the real driver, through the example `probe` of greenroom-device:
#   cargo build --release -p greenroom-device --example probe
#   cargo xtask vm [--loopback VERSION] [--loopback-options "..."] tests/vm/watch.sh PATH/TO/probe
# Runs with 0.12.7, 0.13.2, 0.15.0 and 0.15.4, with exclusive_caps=1 and =0. Needs ffmpeg and v4l-utils on the host.
set -u
probe=$1
node=/dev/video10
version=$(cat /sys/module/v4l2loopback/version 2>/dev/null || echo 0.12.7)
log=$OUT/audience

fail() {
    echo "watch: $*" >&2
    [ -f "$log" ] && sed 's/^/    /' "$log" >&2
    exit 1
}

now() { cut -d' ' -f1 /proc/uptime; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.2f", b - a }'; }
later() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a > b) }'; }

# wait_for SECONDS COMMAND...: until the command succeeds; twice as long on a busy host.
wait_for() {
    local until=$(($1 * 20))
    shift
    until "$@" >/dev/null 2>&1; do
        until=$((until - 1))
        [ $until -gt 0 ] || fail "waited in vain for: $*"
        sleep 0.1
    done
}

# wakings FILE: how often whoever listens was woken.
wakings() { sed -n 's/.*end: \([0-9]*\) wake-ups.*/\1/p' "$1"; }
last_is() { tail -n 1 "$log" | grep -q "watched by $1"; }
maps() { grep -q $node "/proc/$1/maps"; }

# told WHAT PATTERN: soon from now. Two seconds are meant; a guest on a busy host stands still for longer.
told() {
    local from line delay
    from=$(now)
    wait_for 4 last_is "$2"
    line=$(grep "watched by $2" "$log" | tail -n 1)
    delay=$(awk -v a="${line%% *}" -v b="$from" 'BEGIN { printf "%.2f", (a > b) ? a - b : 0 }')
    echo "$1, after $delay s: $line"
    later "$delay" 4 && fail "$1: told after $delay s"
}

# gone_within SECONDS WHAT: nobody watches.
gone_within() {
    local from
    from=$(now)
    wait_for $(($1 + 1)) last_is nobody
    echo "$2: nobody after $(since "$from") s"
}

mmap_reader() { # in the background; $reader is its pid
    ffmpeg -nostdin -v error -f v4l2 -i $node -f null - 2>"$OUT/reader.log" &
    reader=$!
    wait_for 20 maps $reader
}

read_reader() {
    "$probe" read $node 100000 >"$OUT/read.log" &
    reader=$!
    wait_for 10 [ -s "$OUT/read.log" ]
}

gone() {
    kill "$1" $reader
    wait $reader 2>/dev/null
}

echo "== $version, $(cut -d, -f1 /sys/module/v4l2loopback/parameters/exclusive_caps): nobody there"
"$probe" audience $node 320x180 10 4 >"$OUT/nobody"
cat "$OUT/nobody"
[ "$(wakings "$OUT/nobody")" = 1 ] || fail "woken with nobody there"
[ "$(grep -c 'watched by nobody' "$OUT/nobody")" = 1 ] || fail "nobody is not nobody"

echo "== a program that opens it and asks, ten times; then one that opens it and stays"
"$probe" audience $node 320x180 10 16 >"$OUT/prober" &
other=$!
wait_for 10 grep -q nobody "$OUT/prober"
for try in 1 2 3 4 5 6 7 8 9 10; do
    v4l2-ctl -d $node --all >/dev/null
    sleep 0.5
done
sleep 4 <>$node
wait $other
cat "$OUT/prober"
[ "$(grep -c 'watched by' "$OUT/prober")" = 1 ] || fail "one who asks counts as watching"
# Of each: opening and closing, and renewals of what the node holds every 80 ms for a quarter of a second, or for as long
# as it has it open; with 0.12.7 looks at who it is, too.
most=150
[ "$version" != 0.12.7 ] || most=220
[ "$(wakings "$OUT/prober")" -le $most ] || fail "woken more than $most times for those who only ask"

"$probe" audience $node 320x180 10 600 >"$log" &
sink=$!
wait_for 10 last_is nobody

for round in first second; do
    echo "== a reader by mmap, for the $round time"
    mmap_reader
    told "ffmpeg" "ffmpeg (pid $reader)"
    gone -INT
    gone_within 2 "stopped"
done
mmap_reader
told "ffmpeg again" "ffmpeg (pid $reader)"
gone -KILL
gone_within 2 "killed"

echo "== readers by read()"
for how in TERM KILL; do
    read_reader
    told "read()" "probe (pid $reader)"
    gone -$how
    gone_within 3 "ended by $how"
done
"$probe" read $node 3 8 >"$OUT/read.log" &
reader=$!
wait_for 10 [ -s "$OUT/read.log" ]
told "three frames" "probe (pid $reader)"
case $version in
    # It streams for as long as it has it open.
    0.15.*) sleep 3; last_is "probe (pid $reader)" || fail "its stream is not over" ;;
    *) gone_within 5 "it reads no more" ;;
esac
wait $reader
gone_within 2 "closed"

if [ "$version" = 0.12.7 ] || [ "$version" = 0.13.2 ]; then
    echo "== one by mmap and one by read()"
    mmap_reader
    first=$reader
    read_reader
    wait_for 4 last_is "ffmpeg (pid $first), probe (pid $reader)"
    gone -TERM
    wait_for 4 last_is "ffmpeg (pid $first);"
    reader=$first
    gone -INT
    gone_within 2 "both stopped"
fi
if [ "$version" = 0.12.7 ]; then
    echo "== two by mmap"
    mmap_reader
    first=$reader
    mmap_reader
    wait_for 4 last_is "ffmpeg (pid $first), ffmpeg (pid $reader)"
    gone -INT
    wait_for 4 last_is "ffmpeg (pid $first);"
    reader=$first
    gone -INT
    gone_within 2 "both stopped"
fi

echo "== one who was there before us"
mmap_reader
told "ffmpeg" "ffmpeg (pid $reader)"
kill $sink
wait $sink
"$probe" audience $node 320x180 10 600 >"$log" &
sink=$!
wait_for 6 last_is "ffmpeg (pid $reader)"
cat "$log"
gone -INT
gone_within 2 "stopped"
read_reader
told "read()" "probe (pid $reader)"
kill $sink
wait $sink
sleep 1
"$probe" audience $node 320x180 10 600 >"$log" &
sink=$!
wait_for 6 last_is "probe (pid $reader)"
cat "$log"
gone -TERM
gone_within 3 "stopped"
kill $sink
wait $sink

echo "== readers of another user, who cannot be seen"
install -m 755 "$probe" /tmp/probe
chmod 666 $node
setpriv --reuid 65534 --regid 65534 --clear-groups /tmp/probe audience $node 320x180 10 600 >"$log" 2>&1 &
sink=$!
wait_for 10 last_is nobody
mmap_reader
wait_for 6 last_is "a program that cannot be seen"
gone -INT
gone_within 2 "stopped"
read_reader
told "read()" "a program that cannot be seen"
gone -TERM
gone_within 3 "stopped"

echo "== the node removed under us"
rm $node
wait_for 5 grep "has gone away" "$log"
wait $sink && fail "it went on"
echo "watch: all is well with $version"
