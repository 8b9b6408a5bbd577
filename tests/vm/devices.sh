#!/bin/bash
# Cameras and loopbacks on the real drivers, through the example `probe` of greenroom-device:
#   cargo build --release -p greenroom-device --example probe
#   cargo xtask vm [--loopback VERSION] tests/vm/devices.sh PATH/TO/probe
# Runs with 0.12.7, 0.13.2, 0.15.0 and 0.15.4. Needs ffmpeg, v4l-utils and GStreamer on the host.
set -u
probe=$1
version=$(cat /sys/module/v4l2loopback/version 2>/dev/null || echo 0.12.7)

fail() {
    echo "devices: $*" >&2
    exit 1
}

# wait_for SECONDS COMMAND...: until the command succeeds. Nothing is judged by the limit: it is four times as long, for a
# host that is so busy that its files come late.
wait_for() {
    local tries=$(($1 * 20))
    shift
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || fail "waited in vain for: $*"
        sleep 0.2
    done
}

# refused TEXT COMMAND...: exit code 2 and exactly one line on stderr, with TEXT in it.
refused() {
    local text=$1 said code
    shift
    said=$("$@" 2>&1 >/dev/null)
    code=$?
    [ $code -eq 2 ] || fail "exit code $code instead of 2 from: $* ($said)"
    [ "$(echo "$said" | wc -l)" -eq 1 ] || fail "more than one line from: $*: $said"
    case $said in *"$text"*) ;; *) fail "\"$said\" does not say \"$text\"" ;; esac
    echo "refused: $said"
}

# pixels FILE BYTES_PER_ROW ROWS OFFSET...: every frame's bytes at the offsets, one line for each different frame.
pixels() {
    local file=$1 row=$2 rows=$3
    shift 3
    python3 - "$file" $((row * rows)) "$@" <<'PYTHON'
import sys
data, size = open(sys.argv[1], 'rb').read(), int(sys.argv[2])
frames = [data[at:at + size] for at in range(0, len(data), size)]
assert frames and all(len(frame) == size for frame in frames), f'{len(data)} bytes are no {size}-byte frames'
for line in sorted({' '.join(str(frame[int(at) + i]) for at in sys.argv[3:] for i in range(3)) for frame in frames}):
    print(len(frames), line)
PYTHON
}

# is_halves FILE COUNT: frames of 320x180 rgb24, green (0 255 0) left and white right within 6 codes.
is_halves() {
    local line
    line=$(pixels "$1" 960 180 $((90 * 960 + 40 * 3)) $((90 * 960 + 280 * 3))) || fail "$1 is not whole frames"
    [ "$(echo "$line" | wc -l)" -eq 1 ] || fail "$1 holds different pictures: $line"
    set -- "$1" "$2" $line
    [ "$3" -ge "$2" ] || fail "$1 holds $3 frames, not $2"
    [ $(($4 + $6)) -le 8 ] && [ "$5" -ge 249 ] && [ "$7" -ge 249 ] && [ "$8" -ge 249 ] && [ "$9" -ge 249 ] ||
        fail "$1 is $4 $5 $6 on the left and $7 $8 $9 on the right"
}

has_format() { [ -n "$(cat "/sys/class/video4linux/${1#/dev/}/format")" ]; }
state_of() { "$probe" list | sed -n "s|^loopback .*($1).* state \(.*\) format .*|\1|p"; }
is_state() { [ "$(state_of "$1")" = "$2" ]; }

echo "== vivid, every raw format: the same green"
v4l2-ctl -d /dev/video0 -c test_pattern=8,osd_text_mode=2
for fourcc in YUYV UYVY NV12 YU12 422P; do
    means=$("$probe" capture /dev/video0 $fourcc 320x180 15 3 | sed -n 's/^frame.*\[\(.*\)\].*/\1/p' | sort -u)
    [ "$(echo "$means" | wc -l)" -eq 1 ] || fail "$fourcc: frames differ: $means"
    set -- ${means//,/}
    # 100 % green in BT.601, limited range, is 145 54 34.
    [ $((($1 - 145) * ($1 - 145) + ($2 - 54) * ($2 - 54) + ($3 - 34) * ($3 - 34))) -le 3 ] ||
        fail "$fourcc: green is $means"
done
"$probe" capture /dev/video0 GREY 320x180 15 1 | grep 'I420.*, 128, 128\]' || fail "GREY has colour"
"$probe" capture auto auto 640x360 30 2 | grep '^capture vivid.*640x360 YUYV at 30 fps' || fail "no mode for 640x360"
"$probe" capture vivid auto 640x360 15 1 >/dev/null || fail "not found by its card name"

echo "== names that are no camera, no loopback"
refused "does not exist" "$probe" capture /dev/video5 auto 320x180 10 1
refused "not a video device" "$probe" capture /dev/null auto 320x180 10 1
refused "choose one of" "$probe" capture "no such camera" auto 320x180 10 1
refused "no program writes into" "$probe" capture /dev/video10 auto 320x180 10 1
refused "a real camera" "$probe" feed /dev/video0 320x180 10 1
refused "does not exist" "$probe" feed /dev/video5 320x180 10 1

echo "== a camera in other hands"
ffmpeg -nostdin -v error -f v4l2 -video_size 320x180 -i /dev/video0 -f null - &
other=$!
wait_for 20 sh -c "grep /dev/video0 /proc/$other/maps"
refused "in use by ffmpeg (pid $other)" "$probe" capture /dev/video0 YUYV 320x180 15 1
kill $other
wait $other

echo "== late, damaged and vanished frames"
"$probe" capture /dev/video0 YUYV 320x180 30 4 0.3 | grep 'dropped: [1-9]' || fail "late and nothing dropped"
(sleep 1; v4l2-ctl -d /dev/video0 -c inject_v4l2_buf_flag_error=1) &
"$probe" capture /dev/video0 YUYV 320x180 10 20 | grep 'corrupt: 1' || fail "a damaged frame is not counted"
wait $!
(sleep 1; v4l2-ctl -d /dev/video0 -c disconnect=1) &
refused "has gone away" "$probe" capture /dev/video0 YUYV 320x180 10 60
wait $!
# The second opening of the node is the one to stream: gone between being found and being opened.
refused "has gone away" strace -f -o /dev/null -P /dev/video0 -e inject=open,openat:error=ENOENT:when=2 \
    "$probe" capture /dev/video0 YUYV 320x180 10 1
"$probe" capture /dev/video0 YUYV 320x180 10 1 >/dev/null || fail "it did not come back"

echo "== a driver that refuses, and one that loses frames"
for fault in reqbufs qbuf streamon; do
    v4l2-ctl -d /dev/video0 -c inject_vidioc_${fault}_error=1
    refused "VIDIOC_${fault^^} failed" "$probe" capture /dev/video0 YUYV 320x180 10 1
done
(sleep 1; v4l2-ctl -d /dev/video0 -c inject_vidioc_qbuf_error=1) &
refused "VIDIOC_QBUF failed" "$probe" capture /dev/video0 YUYV 320x180 10 60
wait $!
(sleep 1; v4l2-ctl -d /dev/video0 -c inject_fatal_streaming_error=1) &
refused "has gone away" "$probe" capture /dev/video0 YUYV 320x180 10 60
wait $!
# vivid draws for each frame: about 43 are lost between 30, fewer than 8 in one run of a million.
v4l2-ctl -d /dev/video0 -c percentage_of_dropped_buffers=60
"$probe" capture /dev/video0 YUYV 160x120 10 30 >"$OUT/lossy" || fail "a driver that loses frames is refused"
lost=$(sed -n 's/.*dropped: \([0-9]*\).*/\1/p' "$OUT/lossy" | paste -sd+ | bc)
echo "$lost lost of $((lost + 30))"
[ "$lost" -ge 8 ] || fail "what the driver loses is not counted"
v4l2-ctl -d /dev/video0 -c percentage_of_dropped_buffers=100
refused "no frame: NotYet" strace -c -o "$OUT/polls" "$probe" capture /dev/video0 YUYV 160x120 5 1
[ "$(sed -n 's/ *ppoll$//p' "$OUT/polls" | awk '{ print $4 }')" -le 3 ] || fail "it spins while no frame comes"
v4l2-ctl -d /dev/video0 -c percentage_of_dropped_buffers=0

echo "== a camera that comes back on another node"
"$probe" again vivid 600 >"$OUT/again" &
other=$!
wait_for 20 [ -s "$OUT/again" ]
rmmod vivid
wait_for 10 grep "vivid does not exist; plug it in again" "$OUT/again"
modprobe vivid n_devs=1 node_types=0x1 vid_cap_nr=5
wait_for 10 grep "there: vivid (/dev/video5)" "$OUT/again"
kill $other
wait $other
rmmod vivid
modprobe vivid n_devs=1 node_types=0x1 vid_cap_nr=0

# First of all uses of the loopbacks: 0.12.7 does not set its list of buffers in order again when the last one leaves, so
# that a writer by mmap after some by write() gets "buffer 0 was not queued" from GStreamer and falls over.
echo "== a writer by mmap"
for node in /dev/video10 /dev/video11; do
    # Ended the hard way: GStreamer 1.22 hangs or crashes when it stops a sink on 0.12.7.
    gst-launch-1.0 --no-fault -q videotestsrc is-live=true ! video/x-raw,format=YUY2,width=320,height=180,framerate=10/1 ! \
        v4l2sink device=$node &
    other=$!
    wait_for 40 is_state $node "written to"
    refused "in use by gst-launch-1.0 (pid $other)" "$probe" feed $node 320x180 10 1
    kill -KILL $other
    wait $other 2>/dev/null
done

echo "== $version: written to, read by ffmpeg and GStreamer"
"$probe" feed auto 320x180 10 600 >"$OUT/feed" &
feed=$!
wait_for 20 has_format /dev/video10
wait_for 20 is_state /dev/video10 "written to"
grep 'greenroom (/dev/video10): YUYV 320x180 at 10 fps' "$OUT/feed" || fail "auto took $(cat "$OUT/feed")"
ffmpeg -nostdin -v error -f v4l2 -i /dev/video10 -frames:v 30 -pix_fmt rgb24 -f rawvideo -y "$OUT/ffmpeg.rgb" ||
    fail "ffmpeg cannot read it"
is_halves "$OUT/ffmpeg.rgb" 30
timeout 240 gst-launch-1.0 -q v4l2src device=/dev/video10 num-buffers=30 ! videoconvert ! \
    video/x-raw,format=RGB ! filesink location="$OUT/gst.rgb" || fail "v4l2src cannot read it"
is_halves "$OUT/gst.rgb" 30

echo "== a second writer"
refused "in use by probe (pid $feed)" "$probe" feed /dev/video10 320x180 10 1
"$probe" feed auto 320x180 10 1 | grep /dev/video11 || fail "auto did not take the free one"
kill $feed
wait $feed

echo "== started again, in another size"
for size in 320x180 640x360 320x180; do
    "$probe" feed /dev/video10 $size 50 3 | grep "YUYV $size" || fail "start in $size"
done

echo "== after a writer that never called STREAMON"
ffmpeg -nostdin -v error -f lavfi -i color=c=red:s=320x180:r=10 -frames:v 3 -pix_fmt yuyv422 -f v4l2 /dev/video10 ||
    fail "ffmpeg cannot write"
"$probe" feed /dev/video10 640x360 50 3 | grep "YUYV 640x360" || fail "not set right"

echo "== a reader that stays"
"$probe" feed /dev/video10 320x180 10 600 >/dev/null &
feed=$!
wait_for 20 has_format /dev/video10
ffmpeg -nostdin -v error -f v4l2 -i /dev/video10 -pix_fmt rgb24 -f rawvideo -y "$OUT/stay.rgb" &
reader=$!
wait_for 30 [ -s "$OUT/stay.rgb" ]
kill $feed
wait $feed
is_state /dev/video10 "held by a reader" || fail "state $(state_of /dev/video10) with a reader only"
before=$(stat -c %s "$OUT/stay.rgb")
"$probe" feed /dev/video10 640x360 10 40 | grep "YUYV 320x180" || fail "a held format is not taken"
kill $reader
wait $reader
[ "$(stat -c %s "$OUT/stay.rgb")" -gt "$before" ] || fail "the reader got nothing from the new writer"
truncate -s $(($(stat -c %s "$OUT/stay.rgb") / 172800 * 172800)) "$OUT/stay.rgb"
is_halves "$OUT/stay.rgb" 10

echo "== a reader that was there first"
if [ "$version" != 0.12.7 ] && [ "$version" != 0.13.2 ]; then
    # Only since 0.14 can a reader set the format.
    v4l2-ctl -d /dev/video11 --set-fmt-video=width=160,height=120,pixelformat=YU12 --sleep=8 >/dev/null &
    reader=$!
    wait_for 10 is_state /dev/video11 "held by a reader"
    "$probe" feed /dev/video11 320x180 10 5 | grep "I420 160x120" || fail "its format is not taken"
    wait $reader
fi
sleep 60 <>/dev/video10 &
other=$!
"$probe" feed /dev/video10 320x180 50 3 >/dev/null || fail "one who only opens is in the way"
kill $other

echo "== MJPEG from a loopback"
ffmpeg -nostdin -v error -re -f lavfi -i color=c=0x00ff00:s=320x180:r=10 -c:v mjpeg -q:v 2 -f v4l2 /dev/video11 &
other=$!
wait_for 20 is_state /dev/video11 "written to"
"$probe" capture "mjpeg source" auto 1280x720 30 3 >"$OUT/mjpeg" || fail "MJPEG cannot be read"
cat "$OUT/mjpeg"
grep -q '320x180 MJPG' "$OUT/mjpeg" || fail "the size is not adopted"
# Green in BT.601, full range, is 150 44 21.
grep '^frame' "$OUT/mjpeg" | grep -vqE '\[(149|150|151), 4[345], 2[012]\]' && fail "the green is another"
refused "in use by ffmpeg (pid $other)" "$probe" feed /dev/video11 320x180 10 1
kill $other
wait $other
echo "devices: all is well with $version"
