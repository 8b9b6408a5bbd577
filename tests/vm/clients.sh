#!/usr/bin/env bash
# What programs that read the virtual camera notice of greenroom, with one v4l2loopback, in the guest: clients.sh PROGRAMS
# TOOLS VERSION [short]. tests/vm/clients does it for all versions and prints the table. The room is plain red; every frame that
# any reader gets is looked at. Prints a line `case NAME ok|FAILED|n/a`, and notes with what was measured, in the guest's
# own time.
#
# - restart-*: a call (a consumer as patient as Chromium) goes on when greenroom is ended, killed or crashes and another
#   one comes, and nothing but composed pictures and the placeholder was seen.
# - gaps: who watches gets a frame at least every 300 ms, also when the camera sends nothing.
# - first-*: the first picture that a reader gets after nobody watched is not old, whoever reads.
# - time-out-*: what is set in the driver for that is taken back.
# - stranger: a user who may not open the nodes is told which are there and how to get access.
set -uo pipefail
here=$(dirname "$0")
greenroom=$1/greenroom consume=$2/consume version=$3 short=${4:-}
. "$here/session-lib.sh"
export RUST_BACKTRACE=0
node=/dev/video10 size=320x180 vivid=/dev/video0
begin() { start_greenroom clients --camera $vivid --size $size --fps 10 --idle-after 1 --model landscape; }
is_late() { case $version in 0.12.* | 0.13.*) return 1 ;; esac; }
set_vivid() { v4l2-ctl -d $vivid -c "$@"; }
timeout_ms() { v4l2-ctl -d $node -C timeout | sed 's/.*: //'; }
is_most() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a <= b) }'; }

# ---- restarts

# restart NAME SIGNAL SECONDS: greenroom ends by SIGNAL in a call, and is there again SECONDS later.
restart() {
    local killed at
    start_consumer "$1" --chromium
    wait_for 60 composed_since 0 2 || return 1
    kill "-$2" "$pid"
    wait "$pid" 2>/dev/null
    killed=$(now)
    sleep "$3"
    at=$(now)
    begin
    # What is composed from here on is composed by the new one.
    wait_for 120 composed_since "$at" 2 || { tail -n 3 "$frames"; stop_consumer; return 1; }
    echo "note live again after $(minus "$(first_frame composed "$at")" "$killed") s"
    stop_consumer || return 1
    echo "note $(sed 's/.*driver; //' <<<"$(tail -n 1 "$frames")")"
}

# ---- gaps

gaps() {
    local longest
    start_consumer gaps --mmap
    wait_for 60 composed_since 0 2 || return 1
    set_vivid percentage_of_dropped_buffers=100
    sleep 4
    set_vivid percentage_of_dropped_buffers=0
    wait_for 120 composed_since "$(now)" 2 || return 1
    stop_consumer || return 1
    longest=$(sed 's/.*longest wait \([0-9.]*\) s.*/\1/' <<<"$(tail -n 1 "$frames")")
    echo "note $longest s without a frame at the most"
    is_most "$longest" 0.300
}

# ---- first pictures

# unwatched SECONDS: nobody watches, and for so long nobody did.
unwatched() { wait_for 60 camera_is_closed $vivid && sleep "$1"; }
ms() { awk -v s="$1" 'BEGIN { printf "%.0f", 1000 * s }'; }

# first_by_mmap NAME OPTIONS...: the first one's age, and from the first to the second one, as OBS reckons.
first_by_mmap() {
    local name=$1 age gap
    shift
    unwatched 6 || return 1
    consumes --mmap --frames 3 "$@" >"$logs/$name.consumer.log" || { cat "$logs/$name.consumer.log"; return 1; }
    age=$(sed -n 's/^frame 0 .* age //p' "$logs/$name.consumer.log")
    gap=$(awk '$1 == "frame" { for (i = 1; i < NF; i++) if ($i == "stamp") { print $(i + 1) - last; last = $(i + 1) } }' \
        "$logs/$name.consumer.log" | sed -n 2p)
    echo "note the first one is $(ms "$age") ms old, the second one $(ms "$gap") ms younger"
    # Up to 0.13 who has mapped the node counts as watching before it streams. It finds a live picture then, which is as old
    # as the next one lets it become: the camera has ten a second, and the guest makes six.
    if grep -q '^frame 0 .* composed ' "$logs/$name.consumer.log"; then
        is_most "$age" "$gap" && is_most "$gap" 0.300
    else
        is_most "$age" 0.100 && is_most "$gap" 0.600
    fi
}
first_by_v4l2ctl() {
    local begun first
    unwatched 6 || return 1
    begun=$(now)
    timeout 60 v4l2-ctl -d $node --stream-mmap --stream-count=3 --verbose >"$logs/v4l2-ctl" 2>&1
    first=$(sed -n 's/.*dqbuf.* ts: \([0-9.]*\) .*/\1/p' "$logs/v4l2-ctl" | head -n 1)
    [ -n "$first" ] || { cat "$logs/v4l2-ctl"; return 1; }
    echo "note the first one was written $(ms "$(minus "$first" "$begun")") ms after v4l2-ctl was started"
    is_most "$begun" "$(awk -v t="$first" 'BEGIN { print t + 0.100 }')"
}
# In a recording at constant rate a gap before the second picture is filled with the first one.
is_live() { # is_live NAME: raw frames on stdin, at 10 fps
    "$consume" --pipe "YUYV:$size" --frames 45 "${colours[@]}" >"$logs/$1.consumer.log"
    tail -n 1 "$logs/$1.consumer.log"
    local composed
    composed=$(sed -n '$s/.* \([0-9]*\) composed.*/\1/p' "$logs/$1.consumer.log")
    echo "note $composed of 45 frames are live pictures"
    [ "$composed" -ge 9 ] && grep -q ' 0 other; 0 with a leak' "$logs/$1.consumer.log"
}
first_by_ffmpeg() {
    unwatched 8 || return 1
    timeout 120 ffmpeg -nostdin -v error -f v4l2 -i $node -frames:v 45 -f rawvideo - | is_live ffmpeg
}

# ---- what is left behind

timeout_is_taken_back() {
    is_late || { echo "not used in this dialect"; return 77; }
    local free watched
    unwatched 0 || return 1
    free=$(timeout_ms)
    start_consumer time-out --mmap
    wait_for 60 composed_since 0 2 || return 1
    watched=$(timeout_ms)
    stop_consumer || return 1
    unwatched 0 || return 1
    echo "note $free ms while nobody watches, $watched while somebody does, then $(timeout_ms)"
    [ "$free" = 0 ] && [ "$watched" -gt 300 ] && [ "$watched" -lt 1000 ] && [ "$(timeout_ms)" = 0 ]
}
# Killed while somebody watches: the next one takes it back.
timeout_after_kill() {
    is_late || { echo "not used in this dialect"; return 77; }
    start_consumer killed --mmap
    wait_for 60 composed_since 0 2 || return 1
    kill -KILL "$pid"
    wait "$pid" 2>/dev/null
    stop_consumer || return 1
    local left
    left=$(timeout_ms)
    begin
    wait_for 60 is_serving && unwatched 0 || return 1
    echo "note $left ms were left, $(timeout_ms) after the next start"
    [ "$left" != 0 ] && [ "$(timeout_ms)" = 0 ]
}
# The button pressed, and whoever did it is gone: the next who opens the node has the time-out picture instead of it.
timeout_button() {
    is_late || { echo "not used in this dialect"; return 77; }
    stop_greenroom || return 1
    v4l2-ctl -d $node -c timeout_image_io=1
    begin
    wait_for 60 is_serving && consumes --mmap --until composed:3 && unwatched 0
}

# ---- a stranger

as_stranger() {
    setpriv --reuid 65534 --regid 65534 --clear-groups env USER=nobody HOME=/tmp/home XDG_RUNTIME_DIR=/tmp/home "$@"
}
stranger() {
    install -d -o 65534 -g 65534 -m 700 /tmp/home
    chgrp video $vivid $node /dev/video11 && chmod 660 $vivid $node /dev/video11
    as_stranger "$greenroom" list >"$logs/list" 2>&1
    cat "$logs/list"
    grep -q "greenroom ($node).*belongs to root, group video" "$logs/list" &&
        grep -q 'sudo usermod -aG video nobody' "$logs/list" && ! grep -qE 'modprobe|none;' "$logs/list" || return 1
    local name
    for name in auto $node greenroom; do
        as_stranger "$greenroom" run --camera $vivid --output $name >"$logs/run" 2>&1
        local code=$?
        echo "--output $name: $code: $(cat "$logs/run")"
        [ $code = 2 ] && grep -q 'sudo usermod -aG video nobody' "$logs/run" || return 1
    done
    # Once in the group, it can.
    setpriv --reuid 65534 --regid 65534 --groups video "$greenroom" list | tee "$logs/list" | grep "greenroom ($node)" &&
        ! grep -q usermod "$logs/list"
}

trap keep_logs EXIT
set_vivid test_pattern=7,osd_text_mode=2
echo "v4l2loopback $version"
begin
a_case on-air wait_for 60 is_serving || { cat "$log"; exit 1; }
a_case first-mmap first_by_mmap first
[ -n "$short" ] || a_case first-late first_by_mmap late --wait 3
[ -n "$short" ] || a_case first-v4l2-ctl first_by_v4l2ctl
[ -n "$short" ] || a_case first-ffmpeg first_by_ffmpeg
a_case gaps gaps
a_case restart-kill restart kill KILL 2
if [ -z "$short" ]; then
    a_case restart-term restart term TERM 0.1
    a_case restart-segv restart segv SEGV 0.1
    a_case restart-abrt restart abrt ABRT 0.1
    is_late && a_case restart-15s restart 15s KILL 15
    a_case time-out timeout_is_taken_back
    a_case time-out-left timeout_after_kill
    a_case time-out-button timeout_button
fi
a_case stranger stranger
a_case stops stop_greenroom
echo "clients: $passed passed, $failed failed"
[ $failed = 0 ]
