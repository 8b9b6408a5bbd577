#!/bin/bash
# `greenroom doctor` on an installed Debian (tests/vm/debian) with real trouble: module, devices, udev's rights, systemd,
# sudo and apt are the real ones. Run in that guest: doctor.sh GREENROOM XTASK [short]. Each case makes the trouble, looks
# for the finding and its words, and for those that --fix cures, that it does and that the next run is clean. At the end
# --undo brings back the files of before. The short form leaves out what other cases have much of.
set -u
greenroom=$1 short=${3:-}
[ "${GREENROOM_VM:-}" = 1 ] || exit 1
. "${0%/*}/installed-lib.sh"
class=/sys/class/video4linux
modules=/usr/lib/modules/$(uname -r)
version=$(modinfo -F version v4l2loopback)
dynamic=1
# Versions before 0.13 do not tell theirs.
[ -n "$version" ] || dynamic=
cases=0

# doctor WORDS...: as anna, into $OUT/doctor; sets $code.
doctor() {
    as_anna "greenroom doctor $*" >"$OUT/doctor" 2>&1
    code=$?
}
# finds CODE ID WORDS...: doctor ends with the code and has the finding, with each of the words in it.
finds() {
    local wanted=$1 id=$2 words
    shift 2
    doctor
    # From its heading to the next one.
    sed -n "/ \[$id\]\$/,/^\$/p" "$OUT/doctor" >"$OUT/finding"
    [ -s "$OUT/finding" ] || fail "no finding $id in: $(cat "$OUT/doctor")"
    for words; do grep -qF -- "$words" "$OUT/finding" || fail "\"$words\" is not in: $(cat "$OUT/finding")"; done
    [ $code = "$wanted" ] || fail "exit code $code instead of $wanted with $id: $(cat "$OUT/doctor")"
    cases=$((cases + 1))
    cat "$OUT/finding" >>"$OUT/findings"
    echo "found $(head -n 1 "$OUT/finding")"
}
# clean ID: doctor is content, and no longer has the finding.
clean() {
    doctor
    ! grep -q "\[$1\]" "$OUT/doctor" || fail "$1 is still there: $(cat "$OUT/doctor")"
    [ $code = 0 ] || fail "exit code $code after $1: $(cat "$OUT/doctor")"
}
# fixes ID: --fix does it, and the next run is clean.
fixes() {
    as_anna 'greenroom doctor --fix --yes' >"$OUT/fix" 2>&1 || fail "--fix of $1: $(cat "$OUT/fix")"
    clean "$1"
    echo "fixed $1"
}
# undoes: --undo takes back what --fix did, and the files are those of before.
undoes() {
    as_anna 'greenroom doctor --undo --yes' >"$OUT/undo" 2>&1 || fail "--undo: $(cat "$OUT/undo")"
    settings >"$OUT/after"
    diff "$OUT/before" "$OUT/after" || fail "after --undo the files are not those of before"
    echo "undone"
}
# What anybody but the package manager has written.
settings() {
    find /etc /home /var/lib/greenroom /run/greenroom -xdev -printf '%p %y %M %U:%G %l\n' 2>/dev/null | sort
    # What ends with - is of usermod and gpasswd, which this calls.
    find /etc /home -xdev -type f ! -name '*-' -print0 | sort -z | xargs -0 sha256sum
}
# during COMMAND...: runs it in the background; ends sets it free.
during() {
    rm -f "$OUT/during"
    "$@" >"$OUT/during" 2>&1 &
    during=$!
}
ends() {
    kill $during 2>/dev/null
    killall -q ffmpeg
    wait $during 2>/dev/null
}
has_open() { fuser "$1" 2>/dev/null | tr ' ' '\n' | grep -qxF "$(pidof -s "$2")"; }
unload() { rmmod v4l2loopback || fail "the module stays: $(fuser -v /dev/video* 2>&1)"; }
load() { modprobe v4l2loopback "$@"; }
user_service() { as_anna "systemctl --user $1 greenroom.service"; }
# over_modules: the modules' folder can be changed until as_before.
over_modules() {
    mkdir -p /run/over
    mount -t tmpfs tmpfs /run/over
    mkdir /run/over/upper /run/over/work
    mount -t overlay -o lowerdir="$modules",upperdir=/run/over/upper,workdir=/run/over/work overlay "$modules"
}
as_before() { umount "$modules" && umount /run/over; }

all_is_well() {
    settings >"$OUT/after"
    diff "$OUT/before" "$OUT/after" || fail "the files are not those of before"
    echo "doctor: all is well, $cases findings"
    exit 0
}

install_greenroom "$greenroom"
loginctl enable-linger anna
wait_for 60 systemctl is-active user@1000.service || fail "anna's manager does not start"
settings >"$OUT/before"

echo "-- v4l2loopback ${version:-before 0.13}: the module"
finds 1 no-virtual-camera "is installed, but it is not loaded" "greenroom setup"
fixes no-virtual-camera
[ "$(cat $class/video10/name)" = greenroom ] || fail "no camera"
undoes
load devices=1 video_nr=20 card_label=theirs exclusive_caps=1
if [ $dynamic ]; then
    [ "$(stat -c %a:%G /dev/v4l2loopback)" = 600:root ] || fail "$(ls -l /dev/v4l2loopback)"
    finds 1 control-device-root-only "/dev/v4l2loopback" "its group is root"
else
    # The module has to be loaded anew for our camera, and somebody else has one.
    unload
    load devices=1 video_nr=10 card_label=theirs
    finds 1 no-virtual-camera "none of its cameras is greenroom's"
    unload
fi
fixes control-device-root-only
reads_own() { as_anna "timeout 200 ffmpeg -nostdin -v error -f v4l2 -i /dev/video10 -frames:v 3 -f null -"; }
wait_for 60 reads_own || fail "the camera shows nothing"

echo "-- while greenroom runs as a service"
if [ $dynamic ]; then
    during as_anna 'exec ffmpeg -nostdin -v error -f v4l2 -i /dev/video10 -f framemd5 -'
    wait_for 60 test -s "$OUT/during" || fail "nobody reads"
    finds 0 virtual-camera-taken "/dev/video10 is open in ffmpeg (pid " "greenroom setup --nodes 2"
    ends
fi
if [ $dynamic ] && [ ! $short ]; then
    # Somebody watches whose files anna cannot see.
    during ffmpeg -nostdin -v error -f v4l2 -i /dev/video10 -f framemd5 -
    wait_for 60 test -s "$OUT/during" || fail "root does not read"
    finds 0 unseen-watcher "Somebody watches /dev/video10" "sudo fuser -v /dev/video10"
    fuser -v /dev/video10 2>&1 | grep -q ffmpeg || fail "what it says to type does not help"
    ends
fi
user_service stop
finds 1 service-not-running "was stopped, or it failed" "systemctl --user start greenroom.service"
fixes service-not-running
if [ ! $short ]; then
    unit=/home/anna/.config/systemd/user/greenroom.service
    sed -i 's/^Restart=.*/Restart=no/' $unit
    finds 1 user-unit-stale "An older set-up of greenroom wrote $unit"
    fixes user-unit-stale
    grep -q '^Restart=on-failure' $unit || fail "$unit is as it was"
fi
if [ $dynamic ] && [ ! $short ]; then
    sed -i 's|^ExecStart=/usr/bin/greenroom |ExecStart=/opt/gone/greenroom |' /etc/systemd/system/greenroom-camera.service
    finds 1 boot-unit-stale "starts /opt/gone/greenroom, which is not there"
    fixes boot-unit-stale
fi
if [ ! $short ]; then
    cp /usr/bin/greenroom /usr/bin/greenroom.new && mv /usr/bin/greenroom.new /usr/bin/greenroom
    finds 1 greenroom-outdated "started before the update" "systemctl --user restart greenroom.service"
    fixes greenroom-outdated
    during as_anna 'exec greenroom run --camera /dev/video0 --output second.mkv --socket /run/user/1000/second.sock'
    wait_for 100 test -S /run/user/1000/second.sock || fail "the second greenroom does not run: $(cat "$OUT/during")"
    finds 1 another-greenroom "run at the same time" "kill "
    eval "$(sed -n 's/^ *\(kill [0-9]*\)$/\1/p' "$OUT/finding")"
    wait $during
    rm -f /home/anna/second*
    clean another-greenroom
    cp /usr/bin/sleep /run/firefox
    during setpriv --reuid anna --regid anna --init-groups /run/firefox 10000
    sleep 3
    user_service restart
    finds 0 program-older-than-camera "firefox (pid $during) started before the camera"
    ends
fi

echo "-- the webcam, and who may open it"
during as_anna 'exec ffmpeg -nostdin -v error -f v4l2 -i /dev/video0 -f framemd5 -'
wait_for 60 test -s "$OUT/during" || fail "nobody has the webcam"
finds 1 camera-busy "/dev/video0 is open in ffmpeg (pid "
ends
clean camera-busy
anna_doctor=$(declare -f as_anna)
as_anna() { su - bert -c "$*"; }
finds 1 no-rights "is for the group video alone, and bert is not in it" "sudo usermod -aG video bert"
usermod -aG video bert
if [ ! $short ]; then
    as_anna() { setpriv --reuid bert --regid bert --clear-groups env HOME=/home/bert USER=bert sh -c "$*"; }
    finds 1 no-rights "bert was added to the group video of /dev/video" "Log out and in again."
fi
as_anna() { su - bert -c "$*"; }
clean no-rights
gpasswd --delete bert video >/dev/null
eval "$anna_doctor"

echo "-- programs and files"
dpkg --remove --force-depends ffmpeg >/dev/null 2>&1 || fail "ffmpeg cannot be removed"
finds 1 ffmpeg-missing "FFmpeg is not installed" "sudo apt-get install --yes ffmpeg"
fixes ffmpeg-missing
ffmpeg -version >/dev/null || fail "apt has not installed it"
if [ ! $short ]; then
    config=/home/anna/.config/greenroom/config.toml
    sed -i 's/^model = .*/model = "rvm"/' $config
    finds 1 model-missing "names the model \"rvm\", and there is no such file" "greenroom model get rvm"
    sed -i 's/^model = .*/model = "landscape"/' $config
    clean model-missing
    zoom=/home/anna/.local/share/flatpak/app/us.zoom.Zoom/current/active
    as_anna "mkdir -p $zoom"
    printf '[Application]\nname=us.zoom.Zoom\n[Context]\nshared=network;\n' >$zoom/metadata
    finds 1 flatpak-no-devices "The Flatpak us.zoom.Zoom may not open devices" "flatpak override --user --device=all us.zoom.Zoom"
    as_anna 'greenroom setup' | grep -qF 'Zoom: Settings → Video → Camera' || fail "set-up does not name Zoom's menu"
    # As flatpak itself writes it.
    as_anna 'mkdir -p ~/.local/share/flatpak/overrides; printf "[Context]\ndevices=all;\n" >~/.local/share/flatpak/overrides/us.zoom.Zoom'
    clean flatpak-no-devices
    rm -r /home/anna/.local/share/flatpak
    mkdir -p /snap/zoom-client/current/meta
    printf 'name: zoom-client\nplugs:\n  camera:\n' >/snap/zoom-client/current/meta/snap.yaml
    finds 1 snap-no-camera "is not connected to cameras" "sudo snap connect zoom-client:camera"
    rm -r /snap
fi
if [ $dynamic ] && [ ! $short ]; then
    echo 'options v4l2loopback video_nr=20,21 card_label="a,b"' >/etc/modprobe.d/droidcam.conf
    echo 'options v4l2loopback video_nr=30 card_label="OBS Virtual Camera"' >/etc/modprobe.d/obs.conf
    finds 1 options-in-two-files "/etc/modprobe.d/droidcam.conf and /etc/modprobe.d/obs.conf" "sudo nano"
    # Another package's file is left alone.
    as_anna 'greenroom doctor --fix --yes' >"$OUT/fix" 2>&1
    grep -q 'nothing for --fix to do' "$OUT/fix" || fail "$(cat "$OUT/fix")"
    rm /etc/modprobe.d/droidcam.conf /etc/modprobe.d/obs.conf
    clean options-in-two-files
    over_modules
    other=$(echo "$version" | sed 's/.$/9/')
    sed -i "s/version=$version/version=$other/" "$modules/updates/v4l2loopback.ko"
    finds 1 module-outdated "The loaded module is version $version, and the installed one is version $other" "systemctl reboot"
    cp "$modules/updates/v4l2loopback.ko" "$modules/kernel/drivers/media/"
    finds 1 module-copies "has 2 files of the module" "sudo depmod"
    as_before
    clean module-outdated
fi
undoes
[ ! -e /usr/bin/ffmpeg ] || fail "--undo has left the ffmpeg that --fix had installed"
apt-get install --yes --quiet ffmpeg >/dev/null 2>&1 || fail "ffmpeg cannot be installed again"

echo "-- where nothing is set up"
if [ $dynamic ]; then
    # A camera of ours that lacks an option: an older set-up's.
    [ ! -e /sys/module/v4l2loopback ] || unload
    load devices=1 video_nr=10 card_label=greenroom exclusive_caps=0
    mkdir -p /run/greenroom
    echo '{"nodes":[{"number":10,"label":"greenroom","exclusive_caps":false,"buffers":4}]}' >/run/greenroom/nodes.json
else
    as_anna 'greenroom setup --yes' >"$OUT/setup" 2>&1 || fail "$(cat "$OUT/setup")"
    user_service stop
    sed -i 's/exclusive_caps=1/exclusive_caps=0/' /etc/modprobe.d/greenroom.conf
    unload
    load
    user_service start
    wait_for 60 has_open /dev/video10 greenroom || fail "greenroom has no node"
fi
caps() { v4l2-ctl --device /dev/video10 --info | sed -n '/Device Caps/,$p'; }
finds 1 no-exclusive-caps "/dev/video10 was made without exclusive_caps=1"
fixes no-exclusive-caps
user_service stop
caps | grep -q 'Video Output' && ! caps | grep -q 'Video Capture' || fail "not made anew: $(caps)"
user_service start
[ $dynamic ] || as_anna 'greenroom setup --undo --yes' >"$OUT/setup" 2>&1
rm -rf /run/greenroom
undoes
[ ! -e /sys/module/v4l2loopback ] || unload
[ ! $short ] || all_is_well
# The same of somebody else's.
echo 'options v4l2loopback video_nr=10 card_label=greenroom' >/etc/modprobe.d/camera.conf
load
finds 1 no-exclusive-caps "/dev/video10 was made without exclusive_caps=1" "sudo nano /etc/modprobe.d/camera.conf"
rm /etc/modprobe.d/camera.conf
unload
rmmod vivid
load devices=1 video_nr=0 card_label=greenroom exclusive_caps=1
finds 1 no-camera "The kernel has no camera" "lsusb"
modprobe vivid vid_cap_nr=1
finds 1 node-hides-camera "is /dev/video0, before your webcam /dev/video1"
unload
rmmod vivid
modprobe vivid
load devices=1 video_nr=2 card_label="OBS Virtual Camera" exclusive_caps=1
finds 1 obs-took-module "OBS has loaded v4l2loopback with /dev/video2 for itself"
if [ $dynamic ]; then
    fixes obs-took-module
    undoes
    [ "$(cat $class/video2/name)" = "OBS Virtual Camera" ] || fail "OBS's camera is gone"
fi
unload
over_modules
rm "$modules/updates/v4l2loopback.ko"
sed -i '/^updates\/v4l2loopback/d' "$modules/modules.dep"
finds 1 no-virtual-camera "is not installed for the running kernel"
# There is no network here, and apt has no such package: one sentence, and nothing is left behind.
as_anna 'greenroom doctor --fix --yes' >"$OUT/fix" 2>&1 && fail "--fix without packages: $(cat "$OUT/fix")"
grep '^greenroom: ' "$OUT/fix" || fail "$(cat "$OUT/fix")"
undoes
as_before
mount -t tmpfs tmpfs "$modules"
finds 1 kernel-updated "whose modules are gone until the next start" "systemctl reboot"
umount "$modules"
mkdir -p /run/deb/DEBIAN
printf 'Package: v4l2loopback-dkms\nVersion: 0.12.7\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n' \
    >/run/deb/DEBIAN/control
printf '#!/bin/sh\nexit 1\n' >/run/deb/DEBIAN/postinst
chmod 755 /run/deb/DEBIAN/postinst
dpkg-deb --build /run/deb /run/broken.deb >/dev/null
dpkg --install /run/broken.deb >/dev/null 2>&1 && fail "it was to be half installed"
finds 1 dkms-half-installed "apt left v4l2loopback-dkms half installed" "sudo apt-get purge v4l2loopback-dkms"
apt-get purge --yes --quiet v4l2loopback-dkms >/dev/null 2>&1 || fail "what it says to type does not help"
finds 1 no-virtual-camera "is installed, but it is not loaded"
all_is_well
