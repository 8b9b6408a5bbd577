#!/bin/sh
# What the boot unit of `greenroom setup` does, and how its nodes are taken back, with the real module. Run in the guest
# without any camera module loaded: tests/vm/setup.sh GREENROOM.
set -eu
greenroom=$1

fail() {
    echo "setup: $*" >&2
    exit 1
}
[ "${GREENROOM_VM:-}" = 1 ] || fail "this is for the guest of cargo xtask vm"
class=/sys/class/video4linux
at_boot() { "$greenroom" setup --at-boot "$@"; }
label() { cat "$class/video$1/name"; }

modprobe videodev
# A webcam has a number of ours, and another is taken at the next start.
modprobe vivid n_devs=1 node_types=0x1 vid_cap_nr=11
[ ! -e /sys/module/v4l2loopback ] || fail "v4l2loopback is loaded already"

said=$(at_boot --label greenroom --number 10 --number 11)
echo "$said"
version=$(cat /sys/module/v4l2loopback/version 2>/dev/null || echo 'before 0.13')
echo "v4l2loopback $version"
if [ ! -e /dev/v4l2loopback ]; then
    case "$said" in *"older than 0.13"*) ;; *) fail "an old module is not told: $said" ;; esac
    [ ! -e /run/greenroom/nodes.json ] || fail "there is a record of no nodes"
    echo "setup: all is well"
    exit 0
fi

[ "$(label 10)" = greenroom ] && [ "$(label 12)" = "greenroom 2" ] || fail "$(grep -H . $class/*/name)"
[ "$(label 11)" != "greenroom 2" ] || fail "the webcam's number was taken"
grep -q '"number": 12' /run/greenroom/nodes.json || fail "$(cat /run/greenroom/nodes.json)"

# exclusive_caps: without a writer it is an output and no camera.
caps=$(v4l2-ctl --device /dev/video10 --info)
echo "$caps" | sed -n '/Device Caps/,$p' | grep -q 'Video Output' || fail "no output: $caps"
! echo "$caps" | sed -n '/Device Caps/,$p' | grep -q 'Video Capture' || fail "not exclusive: $caps"

# A second start adds nothing.
[ -z "$(at_boot --label greenroom --number 10 --number 11)" ] || fail "the second start added something"

# What is written into it can be read, as from a camera: ffmpeg uses all buffers.
ffmpeg -nostdin -v error -re -f lavfi -i color=c=0x2060a0:s=320x180:r=10 -pix_fmt yuyv422 -f v4l2 /dev/video10 &
writer=$!
sleep 3
ffmpeg -nostdin -v error -f v4l2 -i /dev/video10 -frames:v 3 -f framemd5 "$OUT/read.md5" || fail "it cannot be read"
[ "$(grep -vc '^#' "$OUT/read.md5")" -eq 3 ] || fail "not three frames"
v4l2-ctl --device /dev/video10 --info | grep -q 'Video Capture' || fail "with a writer, it is no camera"

# A node in use stays, and the other one goes. A foreign node stays in any case.
plan=$("$greenroom" setup --undo --plan)
echo "$plan" | grep -q 'Remove /dev/video12' || fail "$plan"
! echo "$plan" | grep -q 'Remove /dev/video10' || fail "it would remove a node in use"
"$greenroom" setup --undo --yes || fail "undo with a node in use"
[ -e $class/video10 ] || fail "a node in use was removed"
[ ! -e $class/video12 ] || fail "a free node stays"

kill $writer
wait $writer || :
"$greenroom" setup --undo --yes || fail "undo"
[ ! -e $class/video10 ] || fail "the node stays"
[ ! -e /sys/module/v4l2loopback ] || fail "the module stays, and nobody uses it"
[ ! -e /run/greenroom ] && [ ! -e /var/lib/greenroom ] || fail "files stay: $(ls -R /run/greenroom /var/lib/greenroom)"
"$greenroom" setup --undo --yes | grep -q 'nothing to do' || fail "the second undo has something to do"
# Somebody else has loaded the module, with the usual two buffers: versions before 0.15 let nobody use a fourth.
modprobe v4l2loopback devices=0
at_boot --label greenroom --number 10
ffmpeg -nostdin -v error -re -f lavfi -i color=c=0x2060a0:s=320x180:r=10 -pix_fmt yuyv422 -f v4l2 /dev/video10 &
writer=$!
sleep 3
ffmpeg -nostdin -v error -f v4l2 -i /dev/video10 -frames:v 3 -f framemd5 -y "$OUT/read.md5" || fail "it cannot be read"
kill $writer
wait $writer || :
"$greenroom" setup --undo --yes >/dev/null || fail "undo"
[ ! -e /sys/module/v4l2loopback ] || fail "the module stays, and nobody uses it"
echo "setup: all is well"
