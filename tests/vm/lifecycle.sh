#!/usr/bin/env bash
# The life of a virtual camera with one v4l2loopback, in the guest: lifecycle.sh PROGRAMS TOOLS CAPS [RESTARTS].
# CAPS is what exclusive_caps is to be. To be run with `cargo xtask vm --no-load`; tests/vm/dialects does it for all
# versions and prints the table. The camera is vivid in plain red: the room. Prints a line `case NAME ok|FAILED|n/a`.
set -uo pipefail
here=$(dirname "$0")
greenroom=$1/greenroom consume=$2/consume caps=$3 restarts=${4:-5}
. "$here/session-lib.sh"
usual=(--camera /dev/video0 --fps 10 --idle-after 1 --model landscape)
size=320x180
begin() { start_greenroom "$1" "${usual[@]}" --size "$size"; }

load() { modprobe v4l2loopback video_nr=10 card_label=greenroom "exclusive_caps=$caps" max_buffers=4; }
format_of_node() { cat /sys/class/video4linux/video10/format; }
logged() { [ "$(grep -cE "$1" "$log")" -ge "${2:-1}" ]; }
holds() { logged 'output: .*\(v4l2loopback' "${1:-1}"; }
serves_camera() { v4l2-ctl -d /dev/video10 --info | grep -q 'Video Capture$'; }

# Readers. Each reads until it has seen composed frames, judges every frame before them, too, and leaves.
until_composed=(--until composed:5 --patience 160)
by_ffmpeg() {
    timeout 360 ffmpeg -nostdin -v error -f v4l2 -i /dev/video10 -f rawvideo - |
        "$consume" --pipe "YUYV:$size" "${until_composed[@]}" "${colours[@]}"
}
by_v4l2src() {
    timeout 360 gst-launch-1.0 -q v4l2src device=/dev/video10 ! video/x-raw,format=YUY2 ! fdsink fd=1 |
        "$consume" --pipe "YUYV:$size" "${until_composed[@]}" "${colours[@]}"
}
by_mmap() { timeout 360 "$consume" /dev/video10 --mmap "${until_composed[@]}" "${colours[@]}"; }
by_read() { timeout 360 "$consume" /dev/video10 --read "${until_composed[@]}" "${colours[@]}"; }

# One reader comes, sees the placeholder first (never a picture that was left over) and then composed frames, and goes.
visit() {
    "$1" >"$logs/visit" 2>&1
    local code=${PIPESTATUS[0]}
    cat "$logs/visit"
    # What the pipe's writer says when its reader has gone is of no interest.
    grep -q '^[0-9]* frames: [1-9][0-9]* composed, [1-9][0-9]* placeholder, 0 other; 0 with a leak' "$logs/visit" &&
        grep -q '^frame 0 .* placeholder ' "$logs/visit" || { echo "exit code $code"; return 1; }
}

come_and_go() {
    local time
    for time in first second; do
        wait_for 15 camera_is_closed /dev/video0 || return 1
        visit "$1" || { echo "the $time visit failed"; return 1; }
        is_running "$pid" || return 1
    done
    wait_for 15 camera_is_closed /dev/video0
}

# ---- the cases

starts_unwatched() {
    begin unwatched
    wait_for 40 holds && wait_for 10 format_of_node && wait_for 10 serves_camera || return 1
    sleep 4
    camera_is_closed /dev/video0 && ! logged 'camera: .*vivid.*(open|at 10 fps)'
}

# A new life each time, ended politely three times of four, else killed. Then somebody reads.
restarts_many() {
    local begun=$SECONDS number signal
    for number in $(seq "$restarts"); do
        begin restarts
        wait_for 40 holds "$number" || { echo "restart $number: it does not get the node"; return 1; }
        # At another point of its beginning each time.
        sleep 0.$((number * 7 % 10))
        signal=TERM
        [ $((number % 4)) = 3 ] && signal=KILL
        kill -$signal "$pid"
        wait "$pid" 2>/dev/null
    done
    echo "note $restarts restarts in $((SECONDS - begun)) s"
    begin restarts
    wait_for 40 holds $((restarts + 1)) && visit by_mmap && wait_for 15 camera_is_closed /dev/video0 &&
        visit by_read && stop_greenroom
}

# A reader that was there before any writer, with a format of its own.
format_held_first() {
    start_consumer held-first --mmap --hold-format YU12:160x120
    wait_for 10 grep -q '^holding' "$frames" || {
        kill "$reader" 2>/dev/null
        echo "not possible in this dialect: $(grep ENDED "$frames")"
        return 77
    }
    begin held-first
    wait_for 60 composed_since 0 5 || return 1
    # 0.13 lets a reader set a format, and a writer another.
    echo "note it asked for YU12 160x120 and streams in: $(grep '^format' "$frames" | tail -n 1)"
    stop_consumer && stop_greenroom
}

# A reader that stays while one greenroom goes and another comes that would like another size.
format_held_on() {
    begin held-on
    wait_for 40 holds 1 && wait_for 10 serves_camera || return 1
    start_consumer held-on --mmap
    wait_for 60 composed_since 0 3 || return 1
    stop_greenroom || return 1
    local at
    at=$(now)
    size=640x360 begin held-on
    wait_for 40 holds 2 && wait_for 60 composed_since "$at" 3 || return 1
    logged 'output: .*320x180 YUYV \(v4l2loopback' 2 && stop_consumer && stop_greenroom
}

module_refused() {
    begin module
    wait_for 40 holds && wait_for 10 serves_camera || return 1
    start_consumer module-refused --mmap
    wait_for 60 composed_since 0 3 || return 1
    rmmod v4l2loopback && { echo "rmmod was not refused"; return 1; }
    local at
    at=$(now)
    wait_for 30 composed_since "$at" 3 && stop_consumer
}

# The node vanishes: the kernel says ENODEV to what greenroom does with it, until the module is out.
module_vanishes() {
    strace -qq -f -o /dev/null -p "$pid" -P /dev/video10 -e trace=write,openat,open,ioctl \
        -e inject=write,openat,open,ioctl:error=ENODEV &
    local tracer=$! at
    # It writes only for somebody who watches, or when it hears of somebody.
    sleep 1
    timeout 10 "$consume" /dev/video10 --mmap --frames 20 >/dev/null 2>&1
    wait_for 30 camera_is_closed /dev/video10 || { kill $tracer; return 1; }
    wait_for 10 rmmod v4l2loopback || { kill $tracer; return 1; }
    kill -INT $tracer
    wait $tracer 2>/dev/null
    sleep 2
    is_running "$pid" || { echo "greenroom has ended"; return 1; }
    at=$(now)
    load || return 1
    wait_for 30 holds 2 || return 1
    echo "note taken again $(minus "$(now)" "$at") s after the module was there"
    wait_for 10 serves_camera && visit by_mmap && stop_greenroom
}

module_comes_later() {
    rmmod v4l2loopback || return 1
    output=auto begin later
    sleep 4
    is_running "$pid" || { echo "greenroom has ended"; return 1; }
    load || return 1
    local at
    at=$(now)
    wait_for 30 holds 1 || return 1
    echo "note taken $(minus "$(now)" "$at") s after the module was there"
    wait_for 10 serves_camera && visit by_mmap && stop_greenroom
}

# A case that failed may have left its greenroom or its reader behind: the next one begins on a clean table.
clean_case() {
    local name=$1
    a_case "$@" && return
    local left
    for left in $pid $reader; do kill -KILL "$left" 2>/dev/null; done
    wait 2>/dev/null
    pid='' reader=''
    [ -e /sys/module/v4l2loopback ] || load
}

trap keep_logs EXIT
modprobe vivid n_devs=1 node_types=0x1 vid_cap_nr=0
v4l2-ctl -d /dev/video0 -c test_pattern=7 -c osd_text_mode=2
load
echo "v4l2loopback $(modinfo -F version v4l2loopback) exclusive_caps=$caps"
pid='' reader=''
if clean_case unwatched starts_unwatched; then
    for way in ffmpeg v4l2src mmap read; do
        a_case "$way" come_and_go "by_$way"
    done
    a_case stops stop_greenroom
fi
clean_case restarts restarts_many
clean_case held-first format_held_first
clean_case held-on format_held_on
clean_case module-in-use module_refused && clean_case module-vanishes module_vanishes
clean_case module-later module_comes_later
echo "lifecycle: $passed passed, $failed failed"
[ $failed = 0 ]
