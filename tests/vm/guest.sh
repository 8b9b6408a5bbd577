#!/usr/bin/env bash
# Runs in the guest, as root: guest.sh PROGRAMS MEDIA. The nodes: /dev/video0 vivid, /dev/video10 our loopback
# ("greenroom", exclusive_caps=1), /dev/video11 a second loopback that plays a MJPEG webcam.
set -uo pipefail
greenroom=$1/greenroom judge="$1/xtask judge" media=$2
green=111,105,58  # #00b140 in BT.601, limited range
passed=0 failed=0

check() { # check NAME COMMAND...
    local name=$1
    shift
    if "$@" >"$OUT/$name.log" 2>&1; then
        passed=$((passed + 1))
        echo "ok      $name"
    else
        failed=$((failed + 1))
        echo "FAILED  $name:"
        tail -n 25 "$OUT/$name.log" | sed 's/^/        /'
    fi
}

# start NAME ARGUMENTS...: greenroom run in the background.
start() {
    local name=$1
    shift
    log=$OUT/$name.greenroom.log
    # The path is looked at here, not who watches it (that is lifecycle.sh and ondemand.sh).
    "$greenroom" run --always-on "$@" >"$log" 2>&1 &
    pid=$!
}

# The node shows composed frames: what is judged later must not be the placeholder of the start.
on_air() { # on_air JUDGE-ARGUMENTS...
    local try
    for try in $(seq 40); do
        kill -0 "$pid" 2>/dev/null || { echo "greenroom has ended"; return 1; }
        timeout 30 ffmpeg -v error -y -f v4l2 -i /dev/video10 -frames:v 1 -pix_fmt yuyv422 -f rawvideo /tmp/one.yuv &&
            $judge /tmp/one.yuv --count 1 "$@" && return 0
        sleep 1
    done
    return 1
}

# Thirty frames must be composed ones; six more are read, because a host that is busy can make the guest stand still.
with_ffmpeg() { # with_ffmpeg NAME JUDGE-ARGUMENTS...
    local file=$OUT/$1.ffmpeg.yuv
    shift
    timeout 120 ffmpeg -v error -y -f v4l2 -i /dev/video10 -frames:v 36 -pix_fmt yuyv422 -f rawvideo "$file" &&
        $judge "$file" --count 36 --placeholders 6 "$@"
}

with_v4l2src() { # with_v4l2src NAME JUDGE-ARGUMENTS...
    local file=$OUT/$1.v4l2src.yuv
    shift
    timeout 120 gst-launch-1.0 -q v4l2src device=/dev/video10 num-buffers=36 ! video/x-raw,format=YUY2 ! \
        filesink location="$file" && $judge "$file" --count 36 --placeholders 6 "$@"
}

# refused WORD ARGUMENTS...: exit code 2 and one sentence with the word in it.
refused() {
    local word=$1 said code
    shift
    said=$(timeout 60 "$@" 2>&1)
    code=$?
    echo "exit code $code: $said"
    [ $code = 2 ] && [ "$(grep -c '^greenroom: ' <<<"$said")" = 1 ] && grep -q -- "$word" <<<"$said"
}

# stopped: SIGTERM ends it well, and a consumer that reads on is left with the placeholder.
stopped() {
    rm -f "$OUT/left.yuv"
    timeout 60 ffmpeg -v error -y -f v4l2 -i /dev/video10 -pix_fmt yuyv422 -flush_packets 1 -f rawvideo \
        "$OUT/left.yuv" &
    local reader=$! try
    for try in $(seq 60); do [ -s "$OUT/left.yuv" ] && break; sleep 0.5; done
    local before=$SECONDS
    kill -TERM "$pid"
    wait "$pid" || return 1
    # A second is promised; the guest is thirty times slower.
    echo "stopped after $((SECONDS - before)) s in the guest"
    [ $((SECONDS - before)) -le 30 ] || return 1
    grep 'stopped: ' "$log" || return 1
    sleep 2
    kill -INT $reader 2>/dev/null
    wait $reader
    $judge "$OUT/left.yuv" "$@" --last-is-placeholder
}

modinfo -F version v4l2loopback
"$greenroom" list

echo "-- vivid, a camera that sees nobody"
v4l2-ctl -d /dev/video0 -c test_pattern=7 -c osd_text_mode=2
size=320x180
start vivid --camera /dev/video0 --output auto --background '#00b140' --size $size --fps 10
check vivid-on-air on_air --size $size --background $green
check vivid-ffmpeg with_ffmpeg vivid --size $size --background $green
check vivid-v4l2src with_v4l2src vivid --size $size --background $green
check busy-output refused "greenroom (pid" "$greenroom" run --camera "$media/clip.avi" --output /dev/video10
check vivid-stopped stopped --size $size --background $green

echo "-- a MJPEG webcam with a person"
ffmpeg -v error -re -stream_loop -1 -i "$media/clip.avi" -c:v copy -f v4l2 /dev/video11 >"$OUT/webcam.log" 2>&1 &
webcam=$!
for try in $(seq 40); do v4l2-ctl -d /dev/video11 --get-fmt-video 2>/dev/null | grep -q MJPG && break; sleep 0.5; done
size=320x240
truth=(--size $size --background $green --picture "$media/picture.y4m" --matte "$media/matte.y4m")
start mjpeg --camera /dev/video11 --output greenroom --background '#00b140' --size $size --fps 5 \
    --config tests/vm/frame-by-frame.toml
check mjpeg-on-air on_air "${truth[@]}"
check mjpeg-ffmpeg with_ffmpeg mjpeg "${truth[@]}"
check mjpeg-v4l2src with_v4l2src mjpeg "${truth[@]}"
check mjpeg-stopped stopped --size $size --background $green
# It is the same node again, without a module reload.
start again --camera /dev/video11 --output greenroom --background '#00b140' --size $size --fps 5 \
    --config tests/vm/frame-by-frame.toml
check again-on-air on_air "${truth[@]}"
check again-v4l2src with_v4l2src again "${truth[@]}"
check again-stopped stopped --size $size --background $green

echo "-- what is refused"
check foreign-writer refused "ffmpeg (pid" "$greenroom" run --camera "$media/clip.avi" --output /dev/video11
check camera-as-output refused "/dev/video0" "$greenroom" run --camera "$media/clip.avi" --output /dev/video0
check loopback-silent-as-camera refused "/dev/video10" "$greenroom" run --camera /dev/video10 --output "$OUT/x.y4m"
check no-such-device refused "/dev/video99" "$greenroom" run --camera /dev/video99
# From its twentieth ioctl on the kernel says the camera is gone, as when it is pulled while it is being opened.
check vanishing-camera refused "gone" strace -qq -o "$OUT/strace.txt" -f -e inject=ioctl:error=ENODEV:when=20+ \
    "$greenroom" run --camera /dev/video0 --output "$OUT/x.y4m"
kill $webcam
wait $webcam 2>/dev/null

echo "$passed passed, $failed failed"
[ $failed = 0 ]
