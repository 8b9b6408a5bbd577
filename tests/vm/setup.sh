#!/bin/sh
# `greenroom setup` with the real module: the whole of it, a restart, undoing; then the boot unit's command alone. Run in
# the guest without any camera module loaded: tests/vm/setup.sh GREENROOM.
#
# The guest has no systemd as init: a script does what `systemctl` would for the boot unit, and a restart is that the
# module is unloaded, what modules-load.d names is loaded, and the enabled unit's command is run.
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

cp "$greenroom" /usr/bin/greenroom
greenroom=/usr/bin/greenroom
rm -rf /.dockerenv /run/.containerenv /run/systemd/container /run/host
mkdir -p /run/systemd/system /etc/systemd/system /etc/modprobe.d /etc/modules-load.d
unit=greenroom-camera.service
link=/etc/systemd/system/multi-user.target.wants/$unit
cat >/usr/local/sbin/systemctl <<END
#!/bin/sh
set -eu
case "\$1" in
is-enabled) [ -L $link ] ;;
is-failed) exit 1 ;;
enable) mkdir -p ${link%/*} && ln -sf /etc/systemd/system/$unit $link ;;
disable) rm -f $link ;;
restart) eval "\$(sed -n 's/^ExecStart=//p' /etc/systemd/system/$unit)" ;;
esac
END
chmod +x /usr/local/sbin/systemctl

files() { find /etc /var/lib/greenroom /run/greenroom -xdev -type f -o -type l 2>/dev/null | sort; }
restart() {
    rmmod v4l2loopback
    ! grep -qs v4l2loopback /etc/modules-load.d/greenroom.conf || modprobe v4l2loopback
    [ ! -L "$link" ] || systemctl restart $unit
}
# written_to NODE: waits until somebody writes into it; how long that takes, a busy host decides.
written_to() {
    tries=0
    until [ -n "$(cat "$class/${1#/dev/}/format")" ]; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || fail "nobody writes into $1"
        sleep 0.2
    done
}
# reads NODE: what is written into it can be read, as from a camera; ffmpeg uses all buffers.
reads() {
    ffmpeg -nostdin -v error -re -f lavfi -i color=c=0x2060a0:s=320x180:r=10 -pix_fmt yuyv422 -f v4l2 "$1" &
    writer=$!
    written_to "$1"
    ffmpeg -nostdin -v error -f v4l2 -i "$1" -frames:v 3 -f framemd5 -y "$OUT/read.md5" || fail "$1 cannot be read"
    kill $writer
    wait $writer || :
    [ "$(grep -vc '^#' "$OUT/read.md5")" -eq 3 ] || fail "not three frames"
}

modprobe videodev
files >/tmp/before
"$greenroom" setup --yes || fail "it cannot be set up"
[ "$(label 10)" = greenroom ] || fail "$(grep -H . $class/*/name)"
"$greenroom" setup --yes | grep -q 'nothing to do' || fail "the second run has something to do"
reads /dev/video10
restart
[ "$(label 10)" = greenroom ] || fail "after a restart there is no camera"
reads /dev/video10
"$greenroom" setup --plan | grep -q 'nothing to do' || fail "after a restart there is something to do"
"$greenroom" setup --undo --yes || fail "undo"
files >/tmp/after
cmp /tmp/before /tmp/after || fail "the files are not those of before: $(diff /tmp/before /tmp/after)"
[ ! -e $class/video10 ] || fail "the node stays"
echo "setup: set up, restarted and undone"

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

# A node in use stays, and the other one goes. A foreign node stays in any case.
ffmpeg -nostdin -v error -re -f lavfi -i color=c=0x2060a0:s=320x180:r=10 -pix_fmt yuyv422 -f v4l2 /dev/video10 &
writer=$!
written_to /dev/video10
v4l2-ctl --device /dev/video10 --info | grep -q 'Video Capture' || fail "with a writer, it is no camera"
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
reads /dev/video10
"$greenroom" setup --undo --yes >/dev/null || fail "undo"
[ ! -e /sys/module/v4l2loopback ] || fail "the module stays, and nobody uses it"
echo "setup: all is well"
