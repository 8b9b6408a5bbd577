#!/bin/sh
# Is the guest what the other tests here take for granted? Run by `cargo xtask vm [--loopback VERSION] tests/vm/smoke.sh`.
# Needs ffmpeg, v4l-utils (v4l2-ctl) and kmod on the host, whose programs the guest uses.
set -eu

fail() {
    echo "smoke: $*" >&2
    exit 1
}

[ "${GREENROOM_VM:-}" = 1 ] || fail "this is for the guest of cargo xtask vm"
echo "kernel $(uname -r), up for $(cut -d' ' -f1 /proc/uptime) s"
# 0.12.7 names no version.
echo "modules: $(lsmod | awk '$1 ~ /^(videodev|vivid|v4l2loopback)$/ { print $1 }' | xargs)," \
    "v4l2loopback's version: $(cat /sys/module/v4l2loopback/version 2>/dev/null || echo 'not given')"

for node in /dev/video*; do
    v4l2-ctl --device "$node" --info | awk -v node="$node" -F': *' \
        '/Driver name/ { driver = $2 } /Card type/ { card = $2 } END { print node ": " driver ", " card }'
done

# vivid, the kernel's test camera.
ffmpeg -nostdin -v error -f v4l2 -video_size 320x180 -i /dev/video0 -frames:v 5 -f framemd5 "$OUT/vivid.md5"
frames=$(grep -vc '^#' "$OUT/vivid.md5")
[ "$frames" -eq 5 ] || fail "vivid gave $frames frames of 5"
[ "$(grep -v '^#' "$OUT/vivid.md5" | awk '{ print $NF }' | sort -u | wc -l)" -gt 1 ] || fail "vivid stands still"
echo "vivid: 5 frames of 320x180"

[ -e /sys/module/v4l2loopback ] || { echo "smoke: no v4l2loopback asked for, all else is well"; exit 0; }

# One colour in at the writer's end of the loopback, the same colour out at the reader's.
check_loopback() {
    ffmpeg -nostdin -v error -re -f lavfi -i color=c=0x2060a0:s=320x180:r=10 -pix_fmt yuyv422 -f v4l2 "$1" &
    writer=$!
    sleep 3
    ffmpeg -nostdin -v error -f v4l2 -i "$1" -frames:v 5 -pix_fmt rgb24 -f rawvideo -y "$OUT/loopback.rgb" ||
        fail "ffmpeg cannot read $1"
    kill $writer
    wait $writer || true
    bytes=$(stat -c %s "$OUT/loopback.rgb")
    [ "$bytes" -eq $((5 * 320 * 180 * 3)) ] || fail "5 frames came back as $bytes bytes"
    pixel=$(tail -c 3 "$OUT/loopback.rgb" | od -An -tu1)
    set -- "$1" $pixel
    for pair in "$2 32" "$3 96" "$4 160"; do
        difference=$((${pair% *} - ${pair#* }))
        [ ${difference#-} -le 6 ] || fail "the colour 32 96 160 came back from $1 as $pixel"
    done
    echo "$1: 5 frames written and read back, colour$pixel of 32 96 160"
}
check_loopback /dev/video10
check_loopback /dev/video11

# A test may load the modules again with its own options.
rmmod v4l2loopback
modprobe v4l2loopback video_nr=7 card_label='a new one' exclusive_caps=1
[ "$(cat /sys/class/video4linux/video7/name)" = "a new one" ] || fail "the new options did not arrive"
echo "reloaded with other options: /dev/video7"

# For the tests with a made-up USB camera.
for module in configfs libcomposite usb_f_uvc uvcvideo dummy_hcd; do
    modprobe "$module" || fail "cannot load $module"
done
[ -n "$(ls /sys/class/udc)" ] || fail "dummy_hcd gave no USB controller"
echo "USB gadget controller: $(ls /sys/class/udc)"
# Bit 0 of the flags: the interface is up.
[ $(($(cat /sys/class/net/lo/flags) & 1)) -eq 1 ] || fail "the loopback network is down"
echo "smoke: all is well"
