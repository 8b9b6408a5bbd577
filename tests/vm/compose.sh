#!/usr/bin/env bash
# In the guest: compose.sh PROGRAMS MEDIA [short]. /dev/video0 is fed as a webcam would be, /dev/video20 is the fake.
# What ends the consumer is the judge: it has seen enough.
set -u
greenroom=$1/greenroom media=$2
judge=$PWD/tests/vm/compose.py
export XDG_RUNTIME_DIR=/run XDG_CONFIG_HOME=$media/config
failed=0

# Said to be 30 frames a second, as the driver passes it on, and 3 in truth: the guest has better things to do.
ffmpeg -nostdin -v error -readrate 0.1 -stream_loop -1 -f rawvideo -video_size 1280x720 -framerate 30 -pix_fmt yuyv422 \
    -i "$media/room.yuyv" -f v4l2 /dev/video0 &
camera=$!
for try in $(seq 60); do [ -n "$(cat /sys/class/video4linux/video0/format)" ] && break; sleep 0.5; done

# Read once, so that its libraries are at hand: the first time takes the guest longer than greenroom waits for it.
ffprobe -v error "$media/background.mp4"

# What the old compose file says, word by word; each case says the rest.
export ACTUAL_CAMERA=/dev/video0 FAKE_CAMERA=/dev/video20 CAMERA_WIDTH=1280 CAMERA_HEIGHT=720 CAMERA_FPS=30
export BODYPIX_URL=http://bodypix:9000

# a_case NAME JUDGE-ARGUMENTS...: greenroom with the environment as it is; frames are read until the judge has seen enough.
a_case() {
    local name=$1 log=$OUT/$1.log try
    shift
    "$greenroom" run >"$log" 2>&1 &
    local pid=$!
    for try in $(seq 60); do [ -n "$(cat /sys/class/video4linux/video20/format)" ] && break; sleep 0.5; done
    # The first frames are the placeholder: the camera opens when somebody watches, and the guest is slow.
    if ffmpeg -nostdin -v fatal -f v4l2 -i /dev/video20 -pix_fmt yuyv422 -f rawvideo - |
        python3 "$judge" "$media/room.yuyv" "$media/matte.y4m" --keep "$OUT" "$@" &&
        v4l2-ctl -d /dev/video20 --get-fmt-video --get-parm >"$OUT/$name.mode" &&
        grep -q "Width/Height *: 1280/720" "$OUT/$name.mode" && grep -q "30.000" "$OUT/$name.mode"; then
        echo "case $name ok"
    else
        failed=$((failed + 1))
        echo "case $name FAILED"
        cat "$log" "$OUT/$name.mode"
    fi
    kill -TERM $pid
    wait $pid || { echo "greenroom ended with $?"; failed=$((failed + 1)); }
}

# A picture is also looked at natively, by tests/old_environment.rs.
[ "${3:-}" = short ] || IS_VID_BACKGROUND=false BACKGROUND_FILE=$media/background.png a_case picture --halves 1e3cc8 c8781e
IS_VID_BACKGROUND=true BACKGROUND_FILE=$media/background.mp4 EFFECT=hologram \
    a_case video-and-hologram --either c81e1e 1ec83c --hologram
kill $camera
[ $failed = 0 ] && echo "compose: the old environment goes on"
exit $failed
