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
reboot() {
    echo "reboot: boot $boot is over, $(cut -d ' ' -f 1 /proc/uptime) s after its begin"
    systemctl reboot
    sleep 1000
}

case $boot in
1)
    modinfo -F version v4l2loopback
    install_greenroom "$greenroom"
    loginctl enable-linger anna
    wait_for 60 systemctl is-active user@1000.service || fail "anna's manager does not start"
    rm -f /etc/anna-is-admin
    files >"$OUT/before"
    # No agent of polkit is there to ask her: nothing happens, and one sentence says why.
    refuses 2 "a polkit agent" as_anna 'DISPLAY=:9 greenroom setup --yes'
    # bert may not use sudo.
    refuses 1 "" su - bert -c 'greenroom setup --yes'
    # Without rights it says what works.
    touch /etc/anna-is-admin
    files >"$OUT/before-2"
    [ "$(diff "$OUT/before" "$OUT/before-2" | grep -c '^[<>]')" = 1 ] || fail "refused, and yet: $(diff "$OUT/before" "$OUT/before-2")"
    as_anna 'greenroom setup --yes' || fail "it cannot be set up"
    [ "$(label 10)" = greenroom ] || fail "no camera: $(grep -H . /sys/class/video4linux/*/name)"
    wait_for 60 runs || { as_anna 'systemctl --user status greenroom.service'; fail "the service does not run"; }
    nothing_to_do "after set-up"
    reads
    reboot
    ;;
2)
    # Nobody has logged in. Her manager has started greenroom.
    wait_for 120 pgrep -u anna -x greenroom || fail "greenroom does not run after the reboot"
    [ "$(label 10)" = greenroom ] || fail "after the reboot there is no camera"
    wait_for 60 runs || fail "the service does not run"
    reads
    nothing_to_do "after the reboot"
    as_anna 'greenroom doctor' >"$OUT/doctor" || fail "doctor: $(cat "$OUT/doctor")"
    cat "$OUT/doctor"
    as_anna 'DISPLAY=:9 greenroom setup --undo --yes' || fail "it cannot be undone"
    [ ! -e /sys/class/video4linux/video10 ] || fail "the camera stays"
    ! pgrep -u anna -x greenroom || fail "greenroom stays"
    files >"$OUT/after"
    diff "$OUT/before-2" "$OUT/after" || fail "the files are not those of before"
    reboot
    ;;
3)
    wait_for 60 systemctl is-active user@1000.service || fail "anna's manager does not start"
    [ ! -e /sys/module/v4l2loopback ] || fail "the module is loaded again"
    ! pgrep -x greenroom || fail "greenroom runs again"
    [ "$(label 0)" = vivid ] || [ -e /dev/video0 ] || fail "her own camera is gone"
    files >"$OUT/after-3"
    diff "$OUT/before-2" "$OUT/after-3" || fail "the files are not those of before"
    echo "reboot: all is well"
    ;;
esac
