#!/usr/bin/env bash
# A USB camera that is pulled out in mid-stream and comes back on another node, ten times, under a consumer that reads on
# all the time: usb.sh PROGRAMS TOOLS MEDIA [CYCLES], in the guest. tests/vm/usb makes what it needs.
set -uo pipefail
here=$(dirname "$0")
greenroom=$1/greenroom probe=$1/examples/probe consume=$2/consume camera_program=$2/camera media=$3 cycles=${4:-10}
. "$here/session-lib.sh"
. "$here/uvc/plug.sh"

plain_stream() { # MJPEG through uvcvideo, for v4l2-ctl and for greenroom's own reader.
    v4l2-ctl -d "$usb_node" --list-formats-ext
    v4l2-ctl -d "$usb_node" --stream-mmap --stream-count=10 --stream-to="$logs/v4l2-ctl.mjpeg" || return 1
    [ "$(ffprobe -v error -f mjpeg -count_frames -show_entries stream=nb_read_frames -of csv=p=0 \
        "$logs/v4l2-ctl.mjpeg")" = 10 ] || return 1
    timeout 240 "$probe" capture "$usb_node" MJPG 320x240 5 5 >"$logs/probe" || return 1
    cat "$logs/probe"
    # Red in BT.601, full range, is 76 85 255.
    [ "$(grep -cE '320x240 .*\[7[4-8], 8[3-7], 25[3-5]\]' "$logs/probe")" = 5 ]
}

goes_on_air() {
    start_greenroom usb --camera "$usb_node" --size 320x240 --fps 5 --model landscape
    wait_for 60 is_serving || return 1
    start_consumer usb --mmap
    wait_for 60 composed_since 0 5 && grep 'camera: .*MJPG' "$log"
}

# One turn: out, placeholders, in again elsewhere, composed. Sets the figures of the turn.
turn() {
    local old=$usb_node out_at
    out_at=$(now)
    unplug || return 1
    wait_for 30 has_frame placeholder "$out_at" || return 1
    wait_for 30 camera_is_closed "$old" || return 1
    local quiet_after
    quiet_after=$(minus "$(first_frame placeholder "$out_at")" "$out_at")
    # The time between varies, so that the camera comes back at another point of whatever greenroom does meanwhile.
    sleep "$(($1 % 4)).$(($1 * 3 % 10))"
    plug || return 1
    [ "$usb_node" != "$old" ] || { echo "it came back on the same node, $old"; return 1; }
    wait_for 60 composed_since "$plugged_at" 5 || return 1
    fds=$(descriptors) rss=$(resident_kib)
    echo "note turn $1: $old -> $usb_node; placeholder $quiet_after s after the pull, composed" \
        "$(minus "$(first_frame composed "$plugged_at")" "$plugged_at") s after the new node; $fds descriptors, $rss KiB"
}

turns() {
    local number first_fds first_rss
    for number in $(seq "$cycles"); do
        turn "$number" || { echo "turn $number failed"; return 1; }
        # The first turns may still grow pools; from then on nothing may be added.
        [ "$number" = 2 ] && first_fds=$fds first_rss=$rss
    done
    echo "note descriptors $first_fds then $fds, memory $first_rss KiB then $rss KiB"
    [ "$fds" = "$first_fds" ] && [ $((rss - first_rss)) -lt 1024 ] && is_running "$reader" && is_running "$pid"
}

# Every third frame is cut off, garbled or without its head: the rest goes on, and no bad one is shown.
corrupt() {
    unplug && plug --corrupt-every 3 || return 1
    wait_for 60 composed_since "$plugged_at" 15 && is_running "$reader"
}

# It opens, and never sends a frame; then it thinks better of it.
never_delivers() {
    local lively_at
    unplug && plug --silent || return 1
    sleep 10
    ! has_frame composed "$plugged_at" || { echo "composed frames of nothing"; return 1; }
    has_frame placeholder "$(minus "$(now)" 2)" || { echo "no placeholder in the last two seconds"; return 1; }
    kill -USR2 "$usb_pid"
    lively_at=$(now)
    wait_for 60 has_frame composed "$lively_at" || return 1
    echo "note composed $(minus "$(first_frame composed "$lively_at")" "$lively_at") s after it began to send"
}

# It stops sending in mid-stream: the placeholder is there a second later, and the picture again when it goes on.
stalls() {
    local at
    kill -USR2 "$usb_pid"
    at=$(now)
    wait_for 30 has_frame placeholder "$at" || return 1
    echo "note placeholder $(minus "$(first_frame placeholder "$at")" "$at") s after the last picture"
    sleep 5
    kill -USR2 "$usb_pid"
    at=$(now)
    wait_for 60 has_frame composed "$at" || return 1
    echo "note composed $(minus "$(first_frame composed "$at")" "$at") s after it went on"
}

# It comes back with another size than it had: the virtual camera keeps its own.
other_size() {
    unplug && usb_size=640x480 plug || return 1
    wait_for 60 composed_since "$plugged_at" 3 || return 1
    grep 'camera: .*640x480 MJPG' "$log"
}

# Another camera of the same make is not taken for the one that was pulled out.
another_camera() {
    unplug && plug --serial 4712 || return 1
    sleep 8
    ! has_frame composed "$plugged_at" || { echo "another camera was taken"; return 1; }
    unplug && plug && wait_for 60 composed_since "$plugged_at" 3
}

# Another program is faster at the replugged camera: greenroom says who, and takes it as soon as it is free.
busy() {
    local at other
    unplug || return 1
    kill -STOP "$pid"
    plug || return 1
    v4l2-ctl -d "$usb_node" --stream-mmap --stream-count=100000 >/dev/null 2>&1 &
    other=$!
    wait_for 30 grep -q "$usb_node" "/proc/$other/maps"
    kill -CONT "$pid"
    wait_for 30 grep -q "in use by v4l2-ctl (pid $other)" "$log" || { kill $other; return 1; }
    grep "in use by v4l2-ctl (pid $other)" "$log" | tail -n 1
    sleep 5
    kill $other
    wait $other 2>/dev/null
    at=$(now)
    wait_for 60 composed_since "$at" 3 || return 1
    echo "note composed $(minus "$(first_frame composed "$at")" "$at") s after the other program had left"
}

# Every program is frozen for at least five seconds and thawed, as around a suspend. (The devices stay on: QEMU's share
# of files does not survive their sleep.)
suspended() {
    local at
    echo freezer >/sys/power/pm_test
    echo freeze >/sys/power/state || return 1
    at=$(now)
    wait_for 60 composed_since "$at" 3 && is_running "$reader"
}

trap keep_logs EXIT
plug || exit 1
a_case plain-stream plain_stream
if a_case goes-on-air goes_on_air; then
    a_case turns turns
    a_case corrupt corrupt
    a_case never-delivers never_delivers
    a_case stalls stalls
    a_case other-size other_size
    a_case another-camera another_camera
    a_case busy busy
    a_case suspended suspended
    a_case one-stream stop_consumer
    a_case stops stop_greenroom
fi
echo "usb: $passed passed, $failed failed"
[ $failed = 0 ]
