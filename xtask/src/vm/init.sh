#!/bin/busybox sh
# First program of the guest, run from the initramfs: builds the root and goes over to it.
# The root is the host's root, read-only over 9p, below an overlay in memory: a script sees the machine it was
# started on, may write anywhere, and leaves nothing behind but what it puts into the run folder.
b=/bin/busybox
$b mkdir -p /proc /sys /dev /host /new
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys

# greenroom.run=FOLDER is on the kernel's command line, and greenroom.disk=DEVICE for an installed system.
disk=
for word in $($b cat /proc/cmdline); do
    case $word in greenroom.run=*) run=${word#*=} ;; greenroom.disk=*) disk=${word#*=} ;; esac
done

while read -r module; do
    $b insmod "/modules/$module" || echo "init: cannot load $module"
done </modules/order

# The lower layer does not change while we look (loose cache); what the host reads back is written through (mmap).
nine=trans=virtio,version=9p2000.L,msize=1048576
if [ -n "$disk" ]; then
    # An installed system: its own root and systemd, which runs the job as a unit. What is ours is in /run.
    $b mount -t devtmpfs dev /dev
    $b mount -t ext4 "$disk" /new
    $b mount -t tmpfs -o mode=755 tmpfs /new/run
    vm=/new/run/greenroom-vm
    $b mkdir -p $vm/host $vm/run /new/run/systemd/system/multi-user.target.wants
    $b mount -t 9p -o "$nine,ro,cache=loose" root $vm/host
    $b mount -t 9p -o "$nine,cache=mmap" run $vm/run
    # A guest that starts for ever, as after a panic, is switched off.
    echo boot >>$vm/run/boots
    [ "$($b wc -l <$vm/run/boots)" -le 5 ] || $b poweroff -f
    release=$($b uname -r)
    $b mkdir -p "/new/usr/lib/modules/$release"
    $b mount --bind "$vm/host$($b cat $vm/run/modules-folder)" "/new/usr/lib/modules/$release"
    $b cp /bin/busybox /session.sh $vm/
    unit=/new/run/systemd/system/greenroom-vm.service
    $b printf '%s\n' '[Unit]' After=multi-user.target '[Service]' 'StandardOutput=null' 'StandardError=null' \
        'ExecStart=/run/greenroom-vm/busybox sh /run/greenroom-vm/session.sh /run/greenroom-vm/run' >$unit
    $b ln -s ../greenroom-vm.service /new/run/systemd/system/multi-user.target.wants/
    $b umount /proc /sys
    $b mount --move /dev /new/dev
    exec $b switch_root /new /sbin/init
fi
$b mount -t 9p -o "$nine,ro,cache=loose" root /host
$b mount -t tmpfs -o size=75% tmpfs /new
$b mkdir -p /new/upper /new/work /new/root
$b mount -t overlay -o lowerdir=/host,upperdir=/new/upper,workdir=/new/work overlay /new/root
root=/new/root

$b mount -t devtmpfs dev $root/dev
# These names are udev's work elsewhere; without them `>/dev/stdout` would make a plain file.
$b ln -s /proc/self/fd $root/dev/fd
for pair in 0:stdin 1:stdout 2:stderr; do $b ln -s "/proc/self/fd/${pair%:*}" "$root/dev/${pair#*:}"; done
$b mkdir -p $root/dev/pts $root/dev/shm
$b mount -t devpts -o gid=5,mode=620 devpts $root/dev/pts
$b mount -t tmpfs tmpfs $root/dev/shm
$b mount -t tmpfs -o mode=755 tmpfs $root/run
$b mkdir -p $root/run/lock $root/run/greenroom-vm
$b mount -t 9p -o "$nine,cache=mmap" run "$root$run"

# The kernel's modules, from where the host built them.
release=$($b uname -r)
$b mkdir -p "$root/lib/modules/$release"
$b mount --bind "$root$($b cat "$root$run/modules-folder")" "$root/lib/modules/$release"

$b hostname greenroom-vm
$b ifconfig lo 127.0.0.1 up
$b mount --move /proc $root/proc
$b mount --move /sys $root/sys
$b cp /bin/busybox /session.sh $root/run/greenroom-vm/
exec $b switch_root $root /run/greenroom-vm/busybox sh /run/greenroom-vm/session.sh "$run"
