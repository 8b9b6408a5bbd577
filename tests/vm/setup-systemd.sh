#!/bin/sh
# `greenroom setup` and its boot unit with a real systemd as the service manager: it is process 1 of a namespace of the
# guest, with the few units that the boot unit needs. Run in the guest without any camera module loaded:
# tests/vm/setup-systemd.sh GREENROOM [FAULTS]; with FAULTS, greenroom is built with faults, and is killed at each moment.
set -eu
[ "${GREENROOM_VM:-}" = 1 ] || exit 1
cp "$1" /usr/bin/greenroom
rm -rf /.dockerenv /run/.containerenv /run/systemd /run/host
mkdir -p /etc/modprobe.d /etc/modules-load.d /run/units /run/result
rm -rf /etc/systemd/system && mkdir -p /etc/systemd/system
for name in sysinit basic shutdown multi-user local-fs sockets timers paths slices swap umount; do
    printf '[Unit]\nDefaultDependencies=no\n' >"/run/units/$name.target"
done
# It waits for what it wants, as the real one does.
printf '[Unit]\n' >/run/units/multi-user.target
cat >/run/units/go.target <<'END'
[Unit]
DefaultDependencies=no
Wants=go.service
END
cat >/run/units/go.service <<'END'
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/bin/sh /run/go.sh
StandardOutput=file:/run/result/log
StandardError=file:/run/result/log
END
echo "FAULTS=${2:-}" >/run/go.sh
cat >>/run/go.sh <<'END'
set -u
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
unit=greenroom-camera.service
label() { cat "/sys/class/video4linux/video$1/name"; }
files() { find /etc /var/lib/greenroom /run/greenroom -xdev '(' -type f -o -type l ')' 2>/dev/null | sort; }
end() { echo "$*"; echo "$*" >/run/result/end; exit 0; }
modprobe videodev
files >/run/result/before
greenroom setup --yes || { systemctl status $unit; end "it cannot be set up"; }
[ "$(label 10)" = greenroom ] || end "no camera"
[ ! -e /dev/v4l2loopback ] || systemctl is-active $unit || end "the boot unit does not run"
greenroom setup --plan | grep -q 'nothing to do' || end "the second run has something to do"
systemctl --version | head -1 >/run/result/version
# A restart, as far as the module and the units go.
systemctl stop $unit multi-user.target
rmmod v4l2loopback
rm -rf /run/greenroom
! grep -qs v4l2loopback /etc/modules-load.d/greenroom.conf || modprobe v4l2loopback
systemctl daemon-reload
systemctl start multi-user.target
[ "$(label 10)" = greenroom ] || { systemctl status $unit; end "after a restart there is no camera"; }
greenroom setup --plan | grep -q 'nothing to do' || end "after a restart there is something to do"
greenroom setup --undo --yes || end "undo"
files >/run/result/after
cmp /run/result/before /run/result/after || end "other files than before: $(diff /run/result/before /run/result/after)"
[ ! -e /sys/module/v4l2loopback ] || end "the module stays"
# SIGKILL at each moment, if this greenroom has faults: the next run goes on, or undoes.
kills=0
while [ -n "$FAULTS" ]; do
    at=$((kills + 1))
    GREENROOM_SETUP_DIES=user:$at greenroom setup --yes >/run/result/killed 2>&1
    code=$?
    [ $code -ne 0 ] || break
    [ $code -eq 137 ] || end "it was to be killed at $at: $code, $(cat /run/result/killed)"
    kills=$at
    if [ $((at % 2)) -eq 0 ]; then
        greenroom setup --yes >/run/result/next 2>&1 || end "killed at $at: $(cat /run/result/next)"
        [ "$(label 10)" = greenroom ] || end "killed at $at: no camera"
        greenroom setup --plan | grep -q 'nothing to do' || end "killed at $at: something is to be done"
    fi
    greenroom setup --undo --yes >/run/result/next 2>&1 || end "killed at $at, undo: $(cat /run/result/next)"
    files >/run/result/after
    cmp /run/result/before /run/result/after || end "killed at $at: $(diff /run/result/before /run/result/after)"
    [ ! -e /sys/class/video4linux/video10 ] || end "killed at $at, undo: the node stays"
done
[ -z "$FAULTS" ] || greenroom setup --undo --yes || end "undo after the kills"
echo "killed at $kills moments"
end "all is well"
END
mountpoint -q /sys/fs/cgroup || mount -t cgroup2 cgroup2 /sys/fs/cgroup
env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_UNIT_PATH=/etc/systemd/system:/run/units \
    unshare --pid --fork --mount --mount-proc /lib/systemd/systemd --unit=go.target --log-target=console \
    --show-status=no >/run/result/systemd 2>&1 &
manager=$!
waited=0
while [ ! -e /run/result/end ] && [ $waited -lt 400 ]; do
    sleep 1
    waited=$((waited + 1))
done
cat /run/result/log || :
if [ "$(cat /run/result/end 2>/dev/null)" != "all is well" ]; then
    cat /run/result/systemd
    echo "setup-systemd: failed after $waited s" >&2
    exit 1
fi
kill -9 $manager || :
echo "setup-systemd: all is well ($(cat /run/result/version))"
