#!/usr/bin/env bash
# Runs in the guest, as root: ondemand.sh PROGRAMS. Nobody watches: the camera is closed and nothing wakes, also while a program
# waits for events. A program that only looks at the node changes nothing; one that streams from it, or looks at a preview, opens
# the camera, and its leaving closes it.
set -uo pipefail
greenroom=$1/greenroom
socket=/tmp/greenroom.sock
failed=0

say() { echo "$1  $2"; }
check() { # check NAME COMMAND...
    local name=$1
    shift
    if "$@"; then say "ok     " "$name"; else say "FAILED " "$name"; failed=1; tail -n 20 "$OUT/greenroom.log"; fi
}
state() { "$greenroom" status --json --socket $socket | python3 -c "import json,sys; print(json.load(sys.stdin)$1)"; }
opened() { state "['camera']['opened']"; }
camera_is_open() { ls -l "/proc/$pid/fd" | grep -q '/dev/video0$'; }
camera_is_closed() { ! camera_is_open; }
within() { # within SECONDS COMMAND...: four times as long on a host that is so busy that its files come late
    local end=$((SECONDS + 4 * $1))
    shift
    until "$@"; do [ $SECONDS -lt $end ] || return 1; sleep 0.2; done
}
holding() { [ "$(state "['outputs'][0]['state']" 2>/dev/null)" = holding ]; }

v4l2-ctl -d /dev/video0 -c test_pattern=7 -c osd_text_mode=2
"$greenroom" -v run --camera /dev/video0 --output /dev/video10 --background '#00b140' --size 320x180 --fps 10 \
    --socket $socket >"$OUT/greenroom.log" 2>&1 &
pid=$!
check holding within 60 holding
check closed-at-start camera_is_closed

# trace SECONDS: sets $calls, the system calls that all threads began or ended in that time. (Being looked at ends no wait:
# strace writes each as unfinished or detached.)
trace() {
    timeout -s INT "$1" strace -f -o /tmp/strace.txt -p $pid >/dev/null 2>&1
    calls=$(grep -vcE '<unfinished|<detached|^[0-9]+ +(---|\+\+\+)' /tmp/strace.txt)
}
trace 20
echo "system calls of all threads in 20 s: $calls"
check "idle: at most 1 wake-up a second" test "$calls" -le 20
# The counting counts: with somebody who asks, there are some.
(sleep 3; "$greenroom" status --socket $socket >/dev/null) &
trace 10
check "a question is seen by strace ($calls calls)" test "$calls" -gt 4

# ask_and_wait REQUEST SECONDS: asks, and reads what comes; prints a word for each picture of a preview that is no placeholder.
ask_and_wait() {
    python3 - "$socket" "$1" "$2" <<'PYTHON'
import json, os, select, socket, sys, time

connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
connection.sendall(sys.argv[2].encode() + b"\n")
line, descriptors, _, _ = socket.recv_fds(connection, 65536, 2)
answer = json.loads(line)["ok"]
end = time.monotonic() + float(sys.argv[3])
if not descriptors:
    time.sleep(float(sys.argv[3]))
    sys.exit()
(memory, bell), layout = descriptors, answer["preview"]
while time.monotonic() < end and (not select.select([bell], [], [], 1)[0] or os.read(bell, 65536)):
    slot = (int.from_bytes(os.pread(memory, 8, 0), "little") - 1) % layout["slots"]
    if os.pread(memory, 17, layout["first_slot_bytes"] + slot * layout["slot_bytes"])[16] == 0:
        print("picture", flush=True)
PYTHON
}
ask_and_wait '{"subscribe":{}}' 60 &
subscriber=$!
sleep 5
trace 20
echo "system calls of all threads in 20 s, with a subscriber: $calls"
check "idle with a subscriber: at most 1 wake-up a second" test "$calls" -le 20
kill $subscriber
wait $subscriber 2>/dev/null

for try in $(seq 30); do
    v4l2-ctl -d /dev/video10 --all >/dev/null 2>&1
    v4l2-ctl -d /dev/video10 --list-formats-ext >/dev/null 2>&1
    camera_is_open && echo "open at query $try"
    sleep 1
done
check "30 queries, one a second: the camera was never opened" test "$(opened)" = 0

for round in 1 2; do
    v4l2-ctl -d /dev/video10 --stream-mmap --stream-count=100000 >/dev/null 2>&1 &
    reader=$!
    check "a stream opens the camera ($round)" within 30 camera_is_open
    sleep 2
    kill $reader
    wait $reader 2>/dev/null
    check "its end closes it ($round)" within 30 camera_is_closed
    check "opened as often as watched ($round)" test "$(opened)" = $round
done

ask_and_wait '{"preview":{"picture":"camera"}}' 1000 >/tmp/preview.txt &
reader=$!
check "a preview opens the camera" within 30 camera_is_open
check "it shows pictures" within 30 grep -q picture /tmp/preview.txt
check "it is a watcher" test "$(state "['outputs'][0]['watchers'][0]['preview']")" = camera
kill -KILL "$(pgrep -P $reader python3)" $reader
wait $reader 2>/dev/null
check "its end closes the camera" within 30 camera_is_closed
# The background is bright; the placeholder is not.
v4l2-ctl -d /dev/video10 --stream-mmap --stream-count=1 --stream-to=/tmp/first.yuyv >/dev/null 2>&1
check "nothing of it is left on the node" test "$(od -An -tu1 -N1 /tmp/first.yuyv)" -lt 80

kill -TERM $pid
wait $pid
check "ended well" test $? = 0
[ $failed = 0 ]
