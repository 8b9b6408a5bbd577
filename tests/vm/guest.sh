#!/usr/bin/env bash
# Runs in the guest, as root: guest.sh PROGRAMS MEDIA. The nodes: /dev/video0 vivid, /dev/video10 our loopback
# ("greenroom", exclusive_caps=1), /dev/video11 a second loopback that plays a MJPEG webcam.
set -uo pipefail
greenroom=$1/greenroom judge="$1/xtask judge" media=$2
green=111,105,58  # #00b140 in BT.601, limited range
# A second is promised (0.4 s here), and the guest's clock counts instructions; a frame that is being cut out takes twice
# as many without AVX2.
STOPS_WITHIN_S=2
passed=0 failed=0

now() { cut -d ' ' -f 1 /proc/uptime; }
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
    # The path is looked at here, not who watches it (that is lifecycle.sh and ondemand.sh). The guest has no AVX2, and the
    # small network leaves it time.
    "$greenroom" run --always-on --model landscape "$@" >"$log" 2>&1 &
    pid=$!
}

# Consumers read until the judge has seen so many composed frames: each frame must be a composed one or the placeholder,
# and how fast they come is not asked for. Exit code 3: too few came, none was wrong. A consumer may say that its reader
# has gone.
by_ffmpeg() { # by_ffmpeg COMPOSED JUDGE-ARGUMENTS...
    timeout 300 ffmpeg -nostdin -v error -f v4l2 -i /dev/video10 -fps_mode passthrough -pix_fmt yuyv422 -f rawvideo - |
        $judge - --composed "$@"
    return "${PIPESTATUS[1]}"
}
by_v4l2src() {
    timeout 300 gst-launch-1.0 -q v4l2src device=/dev/video10 ! video/x-raw,format=YUY2 ! fdsink fd=1 |
        $judge - --composed "$@"
    return "${PIPESTATUS[1]}"
}

# The node is a camera and shows composed frames.
on_air() { # on_air JUDGE-ARGUMENTS...
    local try code
    for try in $(seq 60); do
        kill -0 "$pid" 2>/dev/null || { echo "greenroom has ended"; return 1; }
        by_ffmpeg 1 "$@"
        code=$?
        [ $code = 3 ] || return $code
        sleep 1
    done
    return 1
}

# refused WORD ARGUMENTS...: exit code 2 and one sentence with the word in it.
refused() {
    local word=$1 said code
    shift
    said=$(timeout 240 "$@" 2>&1)
    code=$?
    echo "exit code $code: $said"
    [ $code = 2 ] && [ "$(grep -c '^greenroom: ' <<<"$said")" = 1 ] && grep -q -- "$word" <<<"$said"
}

# stopped: SIGTERM ends it well, and a consumer that reads on is left with the placeholder.
stopped() { # stopped JUDGE-ARGUMENTS...
    rm -f "$OUT/left.yuv"
    timeout 300 ffmpeg -nostdin -v error -y -f v4l2 -i /dev/video10 -fps_mode passthrough -pix_fmt yuyv422 \
        -flush_packets 1 -f rawvideo "$OUT/left.yuv" &
    local reader=$! try before
    for try in $(seq 120); do [ -s "$OUT/left.yuv" ] && break; sleep 0.5; done
    before=$(now)
    kill -TERM "$pid"
    wait "$pid" || return 1
    awk -v a="$before" -v b="$(now)" 'BEGIN { print "stopped after", b - a, "s"; exit b - a > '$STOPS_WITHIN_S' }' || return 1
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
check vivid-ffmpeg by_ffmpeg 20 --size $size --background $green
check vivid-v4l2src by_v4l2src 20 --size $size --background $green
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
check mjpeg-ffmpeg by_ffmpeg 20 "${truth[@]}"
check mjpeg-v4l2src by_v4l2src 20 "${truth[@]}"
check mjpeg-stopped stopped "${truth[@]}"
# It is the same node again, without a module reload.
start again --camera /dev/video11 --output greenroom --background '#00b140' --size $size --fps 5 \
    --config tests/vm/frame-by-frame.toml
check again-on-air on_air "${truth[@]}"
check again-v4l2src by_v4l2src 20 "${truth[@]}"
check again-stopped stopped "${truth[@]}"

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
