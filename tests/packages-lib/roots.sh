# Packages in clean Debian roots. Sourced by tests/packages.
. scripts/roots.sh

# root_with_packages SUITE NAME: a clean root with the packages in it, the old one, too.
root_with_packages() {
    clean_root "$1" "$2"
    cp "$dist"/greenroom_*.deb "$roots/$2/root/"
}

# everything NAME: all files and folders of a root, but what apt and dpkg keep of their own work.
everything() {
    (cd "$roots/$1" && find . -xdev -path ./proc -prune -o -path ./sys -prune -o -path ./dev -prune -o -print |
        grep -Ev '^\./(var/(lib/(apt|dpkg)|cache|log)|root/greenroom_|root/picture|tmp)(/|$|_|\.)' | LC_ALL=C sort)
}

# What `apt install ./greenroom.deb` gives, and a first picture; tells the time of both.
installs_to_a_picture() {
    local began=$SECONDS
    in_root "$1" apt-get install -y -qq "${@:3}" "$2" >"$work/apt-$1.log" 2>&1 || { tail -n 20 "$work/apt-$1.log"; return 1; }
    local installed=$((SECONDS - began))
    in_root "$1" greenroom run --camera test-picture --background '#00b140' --output /root/picture.y4m --stop-after 2 || return 1
    printf '%s: installed after %s s, a picture after %s s, its two seconds included\n' "$1" $installed $((SECONDS - began)) |
        tee -a "$work/times"
    [ $((SECONDS - began)) -le "${AT_MOST_S:-60}" ] || echo "slower than 60 s: a busy machine or network?"
    is_composed "$roots/$1/root/picture.y4m"
}
# In the last frame, the corners at the top have the background's colour, and the middle has not.
is_composed() {
    python3 - "$1" <<'END'
import sys
data = open(sys.argv[1], "rb").read()
head, _, rest = data.partition(b"\n")
words = {word[:1]: word[1:] for word in head.decode().split()[1:]}
width, height = int(words["W"]), int(words["H"])
frame = width * height * 2 if words["C"].startswith("422") else width * height * 3 // 2
count = len(rest) // (frame + len(b"FRAME\n"))
last = rest[len(rest) - frame:]
luma = lambda x, y: last[y * width + x]
chroma_at = width * height
cb = lambda x, y: last[chroma_at + y * (width // 2) + x // 2] if words["C"].startswith("422") else None
corners = [luma(4, 4), luma(width - 5, 4)]
middle = luma(width // 2, height // 2)
print(f"{words['W']}x{words['H']}, {count} frames, luma of the corners {corners}, of the middle {middle}, cb {cb(4, 4)}")
# #00b140 is Y 104, Cb 93 in BT.601, limited range.
sys.exit(not (count >= 10 and all(abs(luma - 104) < 12 for luma in corners) and abs(middle - 104) > 12))
END
}
is_version() { in_root "$1" dpkg-query -W -f '${Version}' greenroom | grep -qx "$2"; }
nothing_enabled() {
    ! find "$roots/$1/etc/systemd" -name '*greenroom*' | grep . &&
        ! find "$roots/$1/lib/modules" "$roots/$1/etc/modprobe.d" "$roots/$1/etc/modules-load.d" -name '*greenroom*' 2>/dev/null | grep .
}
# What set-up writes: purging removes that, and nobody else's.
as_after_setup() {
    local root=$roots/$1
    mkdir -p "$root/var/lib/greenroom"
    ln -sf /usr/lib/systemd/system/greenroom-camera.service "$root/etc/systemd/system/multi-user.target.wants/"
    # shellcheck disable=SC2016
    printf '# Written by `greenroom setup`; `greenroom setup --undo` removes this file.\noptions v4l2loopback devices=1\n' \
        >"$root/etc/modprobe.d/greenroom.conf"
    echo '{"packages": []}' >"$root/var/lib/greenroom/setup.json"
}
purges() { in_root "$1" apt-get purge -y -qq greenroom; }

in_suite() {
    local suite=$1 name=test-$1
    say "Debian $suite"
    root_with_packages "$suite" "$name"
    # systemd and udev are on every machine with a desktop; without them a root has none of the folders.
    in_root "$name" apt-get install -y -qq --no-install-recommends systemd udev >"$work/base.log" 2>&1 || cat "$work/base.log"
    # A machine with a desktop has them; a root without kmod has not.
    mkdir -p "$roots/$name/etc/modprobe.d" "$roots/$name/etc/systemd/system/multi-user.target.wants"
    everything "$name" >"$work/before-$name"
    # The least first: nothing that is only recommended.
    check "$suite: apt install, with nothing recommended, to a picture" \
        installs_to_a_picture "$name" "/root/$(basename "$old_deb")" --no-install-recommends
    check "$suite: the older version is there" is_version "$name" 0.0.9-1
    check "$suite: upgrade" in_root "$name" apt-get install -y -qq --no-install-recommends "/root/$(basename "$new_deb")"
    check "$suite: the newer version is there" is_version "$name" "$version-1"
    check "$suite: neither unit is enabled" nothing_enabled "$name"
    check "$suite: the shipped user's unit is found by greenroom doctor and setup" in_root "$name" sh -c \
        'greenroom setup --plan --json; greenroom doctor --json >/root/picture.json; test -s /root/picture.json'
    check "$suite: udev takes the rule" udev_takes_rule "$name"
    as_after_setup "$name"
    check "$suite: purge" purges "$name"
    # What came with greenroom (libturbojpeg) goes, too.
    in_root "$name" apt-get autoremove --purge -y -qq >/dev/null 2>&1
    everything "$name" >"$work/after-$name"
    check "$suite: purging leaves no file" diff "$work/before-$name" "$work/after-$name"
    leave_root "$name"
    # And as users do it.
    root_with_packages "$suite" "$name"
    check "$suite: apt install with what is recommended, to a picture" installs_to_a_picture "$name" "/root/$(basename "$new_deb")"
    check "$suite: the demo clip plays" in_root "$name" greenroom run --camera demo --output /root/picture.mkv --stop-after 2
    leave_root "$name"
    rm -rf "${roots:?}/$name"
}
udev_takes_rule() {
    # `verify` came with systemd 254.
    in_root "$1" sh -c 'udevadm --help | grep -q "^ *verify" || exit 0; udevadm verify /usr/lib/udev/rules.d/60-greenroom.rules'
}

deb_is_small_and_lists_the_same() {
    [ "$(stat -c %s "$new_deb")" -le 20000000 ] || { stat -c '%s bytes are more than 20 MB' "$new_deb"; return 1; }
    same_lists eval "dpkg-deb --fsys-tarfile '$new_deb' | tar -t | grep -v '/\$' | sed 's/^\.//' | LC_ALL=C sort"
}
deb_depends_on_little() {
    local depends
    depends=$(dpkg-deb -f "$new_deb" Depends)
    echo "$depends"
    [ -z "$(tr ',' '\n' <<<"$depends" | sed 's/^ *//; s/ .*//' | grep -vxE 'libc6|libgcc-s1|libpipewire-0.3-0|libturbojpeg0')" ] &&
        ! dpkg-deb -f "$new_deb" Recommends | grep -q v4l2loopback
}
# The same files, but for the places that differ: unpacked, checked and removed by rpm itself. (rpm2cpio unpacks it and yet
# fails: the header has no size of the archive, which cargo-generate-rpm cannot write.)
rpm_lists_the_same() {
    rm -rf "$work/rpm"
    mkdir -p "$work/rpm"
    in_rpm() { rpm --root "$work/rpm" --dbpath /db "$@"; }
    in_rpm --nodeps -i "$rpm" && in_rpm --nodeps -V greenroom || return 1
    rm -rf "$work/rpm-files"
    cp -r "$work/rpm" "$work/rpm-files"
    in_rpm --nodeps -e greenroom || return 1
    [ -z "$(files_of "$work/rpm" | grep -v '^/db/')" ] || { files_of "$work/rpm"; return 1; }
    rm -rf "$work/rpm" && mv "$work/rpm-files" "$work/rpm" && rm -rf "$work/rpm/db"
    diff <(files_of "$work/rpm") <(files_of_deb | sed -e 's|/zsh/vendor-completions/|/zsh/site-functions/|' |
        grep -vE '/doc/greenroom/(copyright|changelog\.Debian\.gz)$' |
        cat - <(printf '/usr/share/licenses/greenroom/%s\n' LICENSE-MIT LICENSE-APACHE) | LC_ALL=C sort) &&
        cmp "$work/rpm/usr/bin/greenroom" <(dpkg-deb --fsys-tarfile "$new_deb" | tar -xO ./usr/bin/greenroom)
}
files_of_deb() { dpkg-deb --fsys-tarfile "$new_deb" | tar -t | grep -v '/$' | sed 's/^\.//' | LC_ALL=C sort; }
tarball_runs() {
    rm -rf "$work/tarball"
    mkdir -p "$work/tarball"
    tar -C "$work/tarball" -xf "$tarball" || return 1
    local inside
    inside=$(echo "$work"/tarball/*)
    # Nothing but the C library, the compiler's and PipeWire's.
    ldd "$inside/usr/bin/greenroom"
    ldd "$inside/usr/bin/greenroom" | awk '{ print $1 }' | grep -vE '^(linux-vdso|libc|libm|libgcc_s|libpipewire-0\.3)\.so|ld-linux' && return 1
    "$inside/install.sh" --prefix "$work/tarball/prefix" &&
        "$work/tarball/prefix/bin/greenroom" run --camera test-picture --background '#00b140' \
            --output "$work/tarball/picture.y4m" --stop-after 2 && is_composed "$work/tarball/picture.y4m" &&
        "$inside/install.sh" --uninstall --prefix "$work/tarball/prefix"
}
names_no_folder_of_ours() {
    ! grep -aoE "(/root|/home|$(pwd)|$target)/[a-z./_-]{0,60}" <(dpkg-deb --fsys-tarfile "$new_deb" | tar -xO ./usr/bin/greenroom) |
        grep -vE '^/(root|home)/$' | head | grep .
}

full() {
    [ "$(id -u)" = 0 ] || fail "the roots are made as root"
    install debootstrap lintian rpmlint rpm xz-utils python3
    version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
    say "making the packages"
    rm -f "$dist"/greenroom[_-]*
    # The older one first: the checksums are those of the last run.
    cargo xtask dist --only deb --set-version 0.0.9
    cargo xtask dist
    old_deb=$(echo "$dist"/greenroom_0.0.9-1_*.deb) new_deb=$(echo "$dist/greenroom_$version"-1_*.deb)
    rpm=$(echo "$dist"/greenroom-*.rpm) tarball=$(echo "$dist"/greenroom-*.tar.xz)
    : >"$work/times"
    check ".deb: at most 20 MB, and the files of docs/packages.md" deb_is_small_and_lists_the_same
    check ".deb: depends on libc, libgcc and libturbojpeg alone" deb_depends_on_little
    check "the program names no folder of this machine" names_no_folder_of_ours
    check "lintian has no error" lintian --fail-on error --allow-root --tag-display-limit 0 "$new_deb"
    check ".rpm: the files of the .deb" rpm_lists_the_same
    check "rpmlint has no error" rpmlint --config tests/packages-lib/rpmlint.toml "$rpm"
    check "the tarball's program needs the C library and libpipewire alone, and install.sh installs it" tarball_runs
    check "the checksums are right" eval "(cd '$dist' && sha256sum --quiet --check SHA256SUMS)"
    in_suite bookworm
    in_suite trixie
    say "times"
    cat "$work/times"
}
