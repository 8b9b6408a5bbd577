#!/bin/bash
# `greenroom setup` on an installed Debian with its own systemd, udev, sudo and polkit (tests/vm/debian), by an ordinary
# user whose session lingers; run in that guest at each boot: reboot.sh GREENROOM XTASK. First boot: set up by sudo, read,
# rebooted. Second boot: all is there again without anybody's doing; undone by pkexec, rebooted. Third boot: nothing is left.
set -u
greenroom=$1 xtask=$2
[ "${GREENROOM_VM:-}" = 1 ] || exit 1
. "${0%/*}/installed-lib.sh"
boot=$(cat "$OUT/boot" 2>/dev/null || echo 0)
boot=$((boot + 1))
echo $boot >"$OUT/boot"

# reads: what ffmpeg reads from the camera as anna is composed; a reader that comes while the camera is being opened sees
# the placeholder.
reads() {
    as_anna "timeout 600 ffmpeg -nostdin -v error -f v4l2 -i /dev/video10 -fps_mode passthrough -pix_fmt yuyv422 \
        -f rawvideo -" | "$xtask" judge - --composed 5 --size 320x180 --background 111,105,58
    [ "${PIPESTATUS[1]}" = 0 ] || fail "what is read is not composed"
}
runs() { [ "$(as_anna 'systemctl --user is-active greenroom.service')" = active ]; }
nothing_to_do() { as_anna 'greenroom setup --plan' | grep -q 'nothing to do' || fail "something is to be done: $1"; }
# Systems on which nothing can be set up, really so: each gets a sentence with the next step, and keeps its files.
bad_systems() {
    local full=/etc/systemd/system set_up='greenroom setup --yes'
    # Versions before 0.13 do not tell theirs, and get no unit.
    [ -n "$(modinfo -F version v4l2loopback)" ] || full=/etc/modprobe.d
    # No agent of polkit is there to ask her.
    refuses 2 "a polkit agent" as_anna "DISPLAY=:9 $set_up"
    # bert is no administrator.
    refuses 1 "\`greenroom run --output FILE\`" su - bert -c "$set_up"
    mount --bind /etc /etc && mount -o remount,bind,ro /etc
    refuses 2 "/etc is mounted for reading only" as_anna "$set_up"
    umount /etc
    mount -t tmpfs -o size=64k tmpfs $full
    dd if=/dev/zero of=$full/full bs=4k status=none 2>/dev/null
    refuses 1 "as the disk is full: free some space" as_anna "$set_up"
    umount $full
    modprobe v4l2loopback devices=1 video_nr=20 card_label=greenroom exclusive_caps=0
    refuses 2 "Remove it and run set-up again" as_anna "$set_up"
    rmmod v4l2loopback
    echo '[Unit]' >$full/greenroom-camera.service
    cp $full/greenroom-camera.service /etc/modprobe.d/greenroom.conf
    refuses 2 "Move it away and run \`greenroom setup\` again" as_anna "$set_up"
    rm $full/greenroom-camera.service /etc/modprobe.d/greenroom.conf
    files >"$OUT/refused"
    diff "$OUT/before" "$OUT/refused" || fail "it was refused, and yet the files are others"
    [ ! -e /sys/module/v4l2loopback ] || fail "it was refused, and yet the module is loaded"
}
reboot() {
    echo "reboot: boot $boot is over, $(cut -d ' ' -f 1 /proc/uptime) s after its begin"
    systemctl reboot
    sleep 1000    # until this is ended as well
}

case $boot in
1)
    modinfo -F version v4l2loopback
    install_greenroom "$greenroom"
    loginctl enable-linger anna
    wait_for 60 systemctl is-active user@1000.service || fail "anna's manager does not start"
    files >"$OUT/before"
    bad_systems
    as_anna 'greenroom setup --yes' || fail "it cannot be set up"
    [ "$(label 10)" = greenroom ] || fail "no camera: $(grep -H . /sys/class/video4linux/*/name)"
    wait_for 60 runs || { as_anna 'systemctl --user status greenroom.service'; fail "the service does not run"; }
    nothing_to_do "after set-up"
    # Whoever opens the camera first sees greenroom's own picture, and then themselves.
    as_anna "timeout 600 ffmpeg -nostdin -v error -f v4l2 -i /dev/video10 -frames:v 1 -pix_fmt rgb24 -f image2pipe \
        -c:v ppm -" >"$OUT/first.ppm" || fail "the camera shows nothing"
    reads
    reboot
    ;;
2)
    # Nobody has logged in. Her manager has started greenroom.
    wait_for 120 pidof greenroom || fail "greenroom does not run after the reboot"
    [ "$(label 10)" = greenroom ] || fail "after the reboot there is no camera"
    wait_for 60 runs || fail "the service does not run"
    reads
    nothing_to_do "after the reboot"
    as_anna 'greenroom doctor' >"$OUT/doctor" || fail "doctor: $(cat "$OUT/doctor")"
    cat "$OUT/doctor"
    touch /run/anna-is-admin
    as_anna 'DISPLAY=:9 greenroom setup --undo --yes' || fail "it cannot be undone"
    [ ! -e /sys/class/video4linux/video10 ] || fail "the camera stays"
    ! pidof greenroom || fail "greenroom stays"
    files >"$OUT/after"
    diff "$OUT/before" "$OUT/after" || fail "the files are not those of before"
    reboot
    ;;
3)
    wait_for 60 systemctl is-active user@1000.service || fail "anna's manager does not start"
    [ ! -e /sys/module/v4l2loopback ] || fail "the module is loaded again"
    ! pidof greenroom || fail "greenroom runs again"
    [ "$(label 0)" = vivid ] || [ -e /dev/video0 ] || fail "her own camera is gone"
    files >"$OUT/after-3"
    diff "$OUT/before" "$OUT/after-3" || fail "the files are not those of before"
    echo "reboot: all is well"
    ;;
esac
