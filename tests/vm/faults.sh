#!/usr/bin/env bash
# Privacy under fire: faults.sh PROGRAMS TOOLS [short], in the guest; tests/vm/faults makes what it needs (greenroom with the
# feature `faults`). The room is plain red. Faults strike while consumers read; every frame that any of them read is
# looked at: not one pixel of the room, nothing but composed frames and placeholders, and after each fault the picture
# comes back by itself. A second output with a scene of its own is read through all faults that strike while pictures are
# on. At last a deliberate leak shows that the looking sees.
set -uo pipefail
# A panic's backtrace takes minutes here.
export RUST_BACKTRACE=0
here=$(dirname "$0")
greenroom=$1/greenroom consume=$2/consume turns=2 least=30
[ "${3:-}" != short ] || turns=1 least=12
. "$here/session-lib.sh"
vivid=/dev/video0
struck=0

set_vivid() { v4l2-ctl -d $vivid -c "$@"; }
red_room() { set_vivid test_pattern=7,osd_text_mode=2 2>/dev/null; }
fault_inside() { "$greenroom" fault "$1"; }
camera_reason() { "$greenroom" status --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["camera"]["reason"])'; }

# strike NAME SIGN COMMAND...: a fault while a picture is on. SIGN is what greenroom's log says when it strikes (nothing:
# `-`); afterwards the picture comes back. (Placeholders between are not asked for: a camera that is back before the next
# frame would have been cut out leaves no gap. Where there must be one, the loss is longer.)
strike() {
    local name=$1 sign=$2 at before
    shift 2
    struck=$((struck + 1))
    wait_for 90 composed_since "$(now)" 2 || return 1
    before=$(signs "$sign")
    "$@" || { echo "the fault could not be made"; return 1; }
    wait_for 60 has_struck "$sign" "$before" || return 1
    at=$(now)
    wait_for 120 composed_since "$at" 2 || return 1
    echo "note composed $(minus "$(first_frame composed "$at")" "$at") s after it struck"
}
signs() { [ "$1" = - ] && echo 0 || grep -cE "$1" "$log"; }
has_struck() { [ "$1" = - ] || [ "$(signs "$1")" -gt "$2" ]; }
# seen_placeholder COMMAND...: what it does lasts so long that the placeholder must be seen.
seen_placeholder() {
    local at
    at=$(now)
    "$@" && wait_for 60 has_frame placeholder "$at"
}

# The second output: another consumer, before another background.
start_second() {
    "$greenroom" set --output /dev/video20 background '#1e3cc8' || return 1
    "$consume" /dev/video20 --mmap --background 74,194,105 --room 81,90,240 >"$logs/second.consumer.log" 2>&1 &
    second=$!
    in_second wait_for 120 composed_since 0 3
}
in_second() { local frames=$logs/second.consumer.log reader=$second; "$@"; }
stop_second() { # Its picture has come back, too.
    in_second wait_for 120 composed_since "$(now)" 2 && in_second stop_consumer
}
fault() { a_case "fault-$1" strike "$@" || witness; }
# What is known of a failure.
witness() {
    tail -n 12 "$log" | sed 's/^/    greenroom: /'
    tail -n 3 "$frames" | sed 's/^/    consumer: /'
    "$greenroom" status | sed 's/^/    /'
    now
}

# vivid is back as soon as the last one has closed it. (A camera that stays away in mid-stream: usb.sh.)
disconnect() { set_vivid disconnect=1; }
move_to() { # The same camera on the node of another number.
    rmmod vivid && modprobe vivid n_devs=1 node_types=0x1 vid_cap_nr="$1" || return 1
    vivid=/dev/video$1
    red_room
}
stand_still() { kill -STOP $pid; sleep "$1"; kill -CONT $pid; }
drop_all() { set_vivid percentage_of_dropped_buffers=100; sleep 8; set_vivid percentage_of_dropped_buffers=0; }
suspend() { # All devices are suspended for five seconds and resumed.
    echo devices >/sys/power/pm_test && echo freeze >/sys/power/state && echo none >/sys/power/pm_test
}

# goes_and_comes NAME MODE [COMMAND...]: the consumer leaves, the camera is closed, COMMAND strikes, another comes: its
# first frame is the placeholder, and it gets its picture.
goes_and_comes() {
    local name=$1 mode=$2 first
    shift 2
    struck=$((struck + 1))
    stop_consumer || return 1
    wait_for 60 camera_is_closed $vivid || return 1
    sleep 1
    [ $# = 0 ] || "$@" || return 1
    start_consumer "$name" "$mode"
    wait_for 60 grep -q '^frame' "$frames" || return 1
    first=$(grep -m 1 '^frame' "$frames")
    grep -q ' placeholder ' <<<"$first" || { echo "the first frame after idling: $first"; return 1; }
    wait_for 120 composed_since 0 3
}
return_after() { a_case "return-$1" goes_and_comes "$@"; }

# The next consumer comes while the camera is still open.
switch() {
    struck=$((struck + 1))
    stop_consumer || return 1
    start_consumer "$1" "$2"
    wait_for 120 composed_since 0 3
}

busy() { # Another program has the camera when somebody comes: it is named; when it lets go the picture comes.
    struck=$((struck + 1))
    stop_consumer || return 1
    wait_for 60 camera_is_closed $vivid || return 1
    v4l2-ctl -d $vivid --stream-mmap --stream-count=100000 >/dev/null 2>&1 &
    local other=$!
    sleep 3
    start_consumer busy --mmap
    wait_for 60 eval "camera_reason | grep 'v4l2-ctl (pid $other)'" || { camera_reason; kill $other; return 1; }
    echo "note $(camera_reason)"
    kill $other
    wait $other 2>/dev/null
    wait_for 120 composed_since 0 3
}

killed() { # What stays in the kernel is at worst a composed frame; the next greenroom needs nothing.
    struck=$((struck + 1))
    wait_for 90 composed_since 0 2 || return 1
    kill -KILL $pid
    wait $pid 2>/dev/null
    sleep 2
    kill -TERM $reader
    wait $reader
    grep ' 0 other; 0 with a leak' <<<"$(tail -n 1 "$frames")" || { tail -n 1 "$frames"; return 1; }
    consumes --mmap --frames 3 --patience 3 >"$logs/after-kill.consumer.log" 2>&1
    [ $? != 4 ] || { echo "a leak in what stays"; return 1; }
    tail -n 1 "$logs/after-kill.consumer.log"
    two_outputs --camera $vivid --size 320x180 --fps 10 --model landscape
    wait_for 60 is_serving || return 1
    start_consumer "$1" --mmap
    wait_for 120 composed_since 0 3
}

leak_is_seen() { # The looking sees: a raw frame in the stream, asked for.
    start_consumer leak --mmap
    wait_for 120 composed_since 0 3 || return 1
    fault_inside leak
    wait_for 60 grep -q '^LEAK' "$frames" || return 1
    kill -TERM $reader
    wait $reader
    local code=$?
    grep -m 1 LEAK "$frames"
    [ $code = 4 ]
}

finish() {
    a_case clean-end stop_consumer
    grep -h '^[0-9]* frames:' $logs/*.consumer.log | awk '{ n += $1; c += $3; p += $5; o += $7; l += $9 }
        END { print "all consumers:", n, "frames,", c, "composed,", p, "placeholders,", o, "other,", l, "with a leak" }'
    a_case leak-is-seen leak_is_seen
    a_case stops stop_greenroom
    keep_logs
    echo "faults: $struck struck, $passed passed, $failed failed"
    [ $failed = 0 ] && [ $struck -ge $least ]
    exit
}

on_air() {
    two_outputs --camera $vivid --size 320x180 --fps 10 --model landscape
    wait_for 60 is_serving || return 1
    start_consumer first --mmap
    wait_for 120 composed_since 0 3
}
# One output is read; a second one waits for its consumer.
two_outputs() { start_greenroom faults "$@" --output /dev/video20; }

red_room
a_case on-air on_air || { cat "$log"; keep_logs; exit 1; }
a_case second-output start_second || { cat "$log"; keep_logs; exit 1; }
ours='a part of greenroom failed'
for turn in $(seq $turns); do
    fault "bad-buffer-$turn" 'a damaged frame' set_vivid inject_v4l2_buf_flag_error=1
    fault "qbuf-$turn" 'VIDIOC_QBUF failed' set_vivid inject_vidioc_qbuf_error=1
    fault "fatal-$turn" 'has gone away' set_vivid inject_fatal_streaming_error=1
    fault "camera-panic-$turn" "camera: $ours" fault_inside camera-panic
    fault "matte-panic-$turn" "matte: $ours" seen_placeholder fault_inside matte-panic
    fault "matte-error-$turn" 'matte: .*failing' seen_placeholder fault_inside matte-error
    fault "output-panic-$turn" "output: $ours" seen_placeholder fault_inside output-panic
    fault "still-$turn" - stand_still $turn
done
fault matte-stall - fault_inside matte-stall
fault camera-stall - fault_inside camera-stall
fault dropped-60 - set_vivid percentage_of_dropped_buffers=60
fault dropped-100 'sends no pictures' seen_placeholder drop_all
fault disconnect-1 'has gone away' disconnect
fault disconnect-2 'has gone away' disconnect
a_case second-output-ends stop_second
if [ $turns = 1 ]; then return_after idle --mmap; finish; fi
return_after idle --mmap
return_after idle-read --read
return_after streamon --mmap set_vivid inject_vidioc_streamon_error=1
return_after reqbufs --mmap set_vivid inject_vidioc_reqbufs_error=1
return_after other-node --mmap move_to 5
return_after node-again --mmap move_to 0
return_after other-size --mmap v4l2-ctl -d $vivid -i 2
return_after size-again --mmap v4l2-ctl -d $vivid -i 0
red_room
a_case switch-read switch switch-read --read
a_case switch-mmap switch switch-mmap --mmap
a_case switch-again switch switch-again --mmap
a_case busy busy
a_case killed-1 killed killed-1
a_case killed-2 killed killed-2
finish
