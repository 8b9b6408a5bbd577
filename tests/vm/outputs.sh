#!/usr/bin/env bash
# Several outputs: outputs.sh PROGRAMS TOOLS, in the guest; tests/vm/outputs makes what it needs. Two loopbacks, each with a
# scene of its own, beside a file on a disk that is full, a pipe whose reader stands still, and `null`, which is well
# whatever happens: what the others miss is counted against it. The room is plain red, and no consumer sees it.
set -uo pipefail
export RUST_BACKTRACE=0
greenroom=$1/greenroom consume=$2/consume
. "$(dirname "$0")/session-lib.sh"
blue='#1e3cc8'
declare -A colour=([10]=111,105,58 [20]=74,194,105) readers=()

# output N KEY: what the status says of output number N.
output() { "$greenroom" status --json | python3 -c "import json,sys; print(json.load(sys.stdin)['outputs'][$1]$2)"; }
is() { [ "$(output "$1" "['$2']")" = "$3" ]; }
counts() { "$greenroom" status --json | python3 -c "
import json, sys
for output in json.load(sys.stdin)['outputs']: print(output['written'], output['placeholders'])"; }

# unharmed N COMMAND...: while COMMAND runs and two seconds after it, output N gets what `null` (the last) gets.
unharmed() {
    local number=$1 before after
    shift
    before=$(counts) || return 1
    "$@" || return 1
    sleep 2
    after=$(counts) || return 1
    paste <(echo "$before") <(echo "$after") | awk -v number="$number" '
        { written[NR - 1] = $3 - $1; placeholders[NR - 1] = $4 - $2 }
        END {
            w = written[number] - written[NR - 1]; p = placeholders[number] - placeholders[NR - 1]
            printf "note %d frames and %d placeholders, null %d and %d\n", written[number], placeholders[number],
                written[NR - 1], placeholders[NR - 1]
            exit !(w >= -1 && w <= 1 && p >= -1 && p <= 1 && written[number] > 0)
        }'
}

# shows NODE SIZE: what an unmodified FFmpeg reads there at last is the node's colour in the upper left corner. (The picture
# takes its time on a slow machine; then the placeholder is all there was.)
shows() {
    local size=${2%x*} seen
    seen=$(ffmpeg -nostdin -v error -f v4l2 -i "/dev/video$1" -frames:v 12 -pix_fmt yuv444p -f rawvideo - |
        python3 -c "
import sys
width, height = $size, ${2#*x}
data = sys.stdin.buffer.read()
frame = data[-3 * width * height:]
print(*(frame[plane * width * height + 4 * width + 4] for plane in range(3)))")
    echo "video$1: $seen, ${colour[$1]} is wanted"
    python3 -c "
import sys
seen, wanted = '$seen'.split(), '${colour[$1]}'.split(',')
sys.exit(len(seen) != 3 or any(abs(int(a) - int(b)) > 3 for a, b in zip(seen, wanted)))"
}
both_show() {
    local first
    shows 10 320x180 & first=$!
    shows 20 320x180
    local second=$?
    wait $first && [ $second = 0 ]
}

start_reader() { # start_reader NODE
    "$consume" "/dev/video$1" --mmap --background "${colour[$1]}" --room 81,90,240 >"$logs/$1.consumer.log" 2>&1 &
    readers[$1]=$!
    frames=$logs/$1.consumer.log
    wait_for 120 composed_since 0 3
}
stop_reader() { # stop_reader NODE: without one pixel of the room and no frame of another kind
    frames=$logs/$1.consumer.log reader=${readers[$1]}
    stop_consumer
}

on_air() {
    v4l2-ctl -d /dev/video0 -c test_pattern=7,osd_text_mode=2
    mkdir /full && mount -t tmpfs -o size=400k tmpfs /full && mkfifo /tmp/pipe.y4m || return 1
    # A reader that never reads.
    sleep 100000 </tmp/pipe.y4m &
    "$greenroom" -v run --output auto --output /full/film.y4m --output /tmp/pipe.y4m --output null \
        --background "$background" --camera /dev/video0 --size 320x180 --fps 10 --model landscape >"$log" 2>&1 &
    pid=$!
    wait_for 60 output 4 "['written']" && [ "$(output 1 "['name']")" = /dev/video20 ] && is 0 name auto
}
own_scenes() {
    "$greenroom" set --output /dev/video20 background "$blue" &&
        [ "$(output 0 "['scene']['background']") $(output 1 "['scene']['background']")" = "$background $blue" ] &&
        wait_for 30 both_show || both_show
}
readers_come() { start_reader 10 && start_reader 20; }
disk_is_full() { wait_for 60 is 2 state ended && output 2 "['reason']" | grep film.y4m; }
pipe_stands_still() { wait_for 60 sh -c "[ $(output 3 "['dropped']") -gt 0 ]"; }

# To one of them the kernel says ENODEV, until its camera is missing.
vanish() {
    strace -qq -f -o /dev/null -p "$pid" -P /dev/video20 -e trace=write,openat,open,ioctl \
        -e inject=write,openat,open,ioctl:error=ENODEV &
    local tracer=$!
    wait_for 60 is 1 state missing
    local code=$?
    kill -INT $tracer
    wait $tracer 2>/dev/null
    return $code
}
vanishes_and_comes_back() {
    stop_reader 20 || return 1
    # With somebody there, so that it is written to.
    timeout 60 "$consume" /dev/video20 --mmap --frames 100000 >/dev/null 2>&1 &
    local other=$!
    wait_for 60 is 1 state watched && unharmed 0 vanish
    local code=$?
    kill $other 2>/dev/null
    wait $other 2>/dev/null
    [ $code = 0 ] || return 1
    wait_for 60 is 1 state holding && start_reader 20
}
# A recording whose disk has no room for its first frames: it ends, and what it was taken from goes on.
record_and_end() { "$greenroom" record /rec/talk.mkv && wait_for 120 grep -q 'WARN record: /rec/talk.mkv' "$log"; }
records_on_a_full_disk() {
    mkdir /rec && mount -t tmpfs -o size=4k tmpfs /rec && echo full >/rec/full && unharmed 0 record_and_end &&
        grep 'WARN record' "$log" && [ "$(ls /rec)" = full ]
}
stands_still() { kill -STOP "${readers[20]}"; sleep 3; kill -CONT "${readers[20]}"; }
panics() { "$greenroom" fault output-panic && wait_for 30 grep -q 'a part of greenroom failed over auto' "$log"; }

# Both hide, and whoever asked is told that the pipe does not take the placeholder.
pauses() {
    local at said
    at=$(now)
    said=$("$greenroom" pause 2>&1) && { echo "it was told as done"; return 1; }
    grep 'takes no placeholder now' <<<"$said" || { echo "$said"; return 1; }
    for node in 10 20; do
        frames=$logs/$node.consumer.log
        wait_for 30 has_frame placeholder "$at" || return 1
    done
    wait_for 30 camera_is_closed /dev/video0 && "$greenroom" resume || return 1
    at=$(now)
    for node in 10 20; do
        frames=$logs/$node.consumer.log
        wait_for 60 composed_since "$at" 2 || return 1
    done
}
ends() {
    stop_reader 10 && stop_reader 20 || return 1
    kill -TERM $pid
    wait $pid
    # One of its files was lost.
    [ $? = 1 ] && tail -n 1 "$log" | grep film.y4m && [ -z "$(ls /full)" ]
}

log=$logs/greenroom.log
a_case on-air on_air || { cat "$log"; keep_logs; exit 1; }
a_case own-scenes own_scenes
a_case readers readers_come || { cat "$log"; keep_logs; exit 1; }
a_case disk-is-full disk_is_full
a_case pipe-stands-still pipe_stands_still
a_case unharmed-by-both unharmed 0 sleep 3
a_case record-on-a-full-disk records_on_a_full_disk
a_case one-vanishes vanishes_and_comes_back
a_case one-reader-stands-still unharmed 0 stands_still
a_case one-panics unharmed 1 panics
a_case pause pauses
a_case ends ends
keep_logs
echo "outputs: $passed passed, $failed failed"
[ $failed = 0 ]
