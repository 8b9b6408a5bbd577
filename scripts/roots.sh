# Clean Debian roots to install and build things in; sourced after lib.sh, by scripts that run as root. They are kept in the
# folder `roots`; logs go to the folder `work`.

# clean_root SUITE NAME: a root with nothing but the base system.
clean_root() {
    if [ ! -e "$roots/$1.tar" ]; then
        rm -rf "$roots/new"
        debootstrap --variant=minbase "$1" "$roots/new" >"$work/debootstrap-$1.log" 2>&1 ||
            { tail "$work/debootstrap-$1.log"; fail "debootstrap could not make $1"; }
        tar -C "$roots/new" --numeric-owner -cf "$roots/$1.tar.part" . && mv "$roots/$1.tar.part" "$roots/$1.tar"
        rm -rf "$roots/new"
    fi
    leave_root "$2"
    rm -rf "${roots:?}/$2"
    mkdir "$roots/$2"
    tar -C "$roots/$2" --numeric-owner -xf "$roots/$1.tar"
    # The machine's way to the packages goes with it.
    cp /etc/apt/sources.list.d/* "$roots/$2/etc/apt/sources.list.d/" 2>/dev/null || true
    rm -f "$roots/$2"/etc/apt/sources.list.d/*
    [ ! -d /etc/apt/apt.conf.d ] || cp -n /etc/apt/apt.conf.d/*prox* "$roots/$2/etc/apt/apt.conf.d/" 2>/dev/null || true
    cp /etc/resolv.conf "$roots/$2/etc/resolv.conf" 2>/dev/null || true
    mount --bind /proc "$roots/$2/proc"
    mount -t tmpfs none "$roots/$2/dev"
    local node
    for node in null zero full random urandom tty; do touch "$roots/$2/dev/$node" && mount --bind "/dev/$node" "$roots/$2/dev/$node"; done
    mkdir "$roots/$2/dev/shm" "$roots/$2/dev/pts"
    ln -s /proc/self/fd "$roots/$2/dev/fd"
    printf '#!/bin/sh\nexit 101\n' >"$roots/$2/usr/sbin/policy-rc.d"
    chmod +x "$roots/$2/usr/sbin/policy-rc.d"
    in_root "$2" apt-get update -qq
}
leave_root() {
    local mounted
    for mounted in $(awk -v root="$roots/$1/" 'index($2, root) == 1 { print $2 }' /proc/mounts | LC_ALL=C sort -r); do
        umount "$mounted"
    done
}
in_root() {
    local name=$1
    shift
    chroot "$roots/$name" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" "$@"
}
