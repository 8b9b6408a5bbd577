#!/bin/sh
# Installs greenroom from this folder, without a package manager, and takes it back.
set -eu

usage() {
    cat <<'END'
Usage: ./install.sh [--prefix FOLDER] [--uninstall]

  --prefix FOLDER   Where to install [default: /usr/local, or ~/.local if you are not root]
  --uninstall       Remove what was installed there

Then `greenroom setup` adds the virtual camera, and has greenroom start with your session.
END
}
fail() { printf 'install.sh: %s\n' "$*" >&2; exit "${code:-2}"; }

here=$(cd "$(dirname "$0")" && pwd)
if [ "$(id -u)" = 0 ]; then prefix=/usr/local; else prefix=${HOME:?}/.local; fi
uninstall=
while [ $# -gt 0 ]; do
    case "$1" in
        --prefix) [ $# -ge 2 ] || fail "--prefix needs a folder"; prefix=$2; shift ;;
        --prefix=*) prefix=${1#--prefix=} ;;
        --uninstall) uninstall=yes ;;
        -h | --help) usage; exit 0 ;;
        *) usage >&2; fail "this is no option: $1" ;;
    esac
    shift
done
case "$prefix" in
    /) fail "the prefix cannot be /; did you mean /usr/local?" ;;
    /*) prefix=${prefix%/} ;;
    *) fail "the prefix must begin with /: $prefix" ;;
esac
# It stands in unit files, and is put there by sed.
case "$prefix" in *[!A-Za-z0-9/._+-]*) fail "the prefix may have letters, digits and / . _ + - only: $prefix" ;; esac
list=$prefix/share/greenroom/installed

# The folders that are greenroom's alone, the deepest first.
own_folders="share/doc/greenroom/examples share/doc/greenroom/docs share/doc/greenroom share/greenroom/footage
share/greenroom/backgrounds share/greenroom"

remove() {
    while read -r file; do
        # A list that somebody changed removes nothing outside the prefix.
        case "$file" in /* | *..* | '') continue ;; esac
        rm -f "$prefix/$file"
    done <"$list"
    rm -f "$list"
    for folder in $own_folders; do rmdir "$prefix/$folder" 2>/dev/null || true; done
}

if [ -n "$uninstall" ]; then
    [ -f "$list" ] || fail "greenroom is not installed in $prefix; name the right folder with --prefix"
    remove
    printf 'greenroom was removed from %s. What you set and downloaded is still in .config/greenroom and\n' "$prefix"
    printf '.local/share/greenroom of your home folder.\n'
    exit 0
fi

[ -f "$here/usr/bin/greenroom" ] || fail "there is no greenroom beside this script; run it where the archive was unpacked"
# What does not start here need not be installed.
"$here/usr/bin/greenroom" --version >/dev/null 2>&1 || {
    code=1
    fail "greenroom does not start on this system: $("$here/usr/bin/greenroom" --version 2>&1 | head -n 1)"
}
mkdir -p "$prefix" || fail "cannot make $prefix; run this as root, or name another folder with --prefix"
[ -w "$prefix" ] || fail "you may not write into $prefix; run this as root, or name another folder with --prefix"

# skipped FILE: what only works in /usr. `greenroom setup` writes its own boot unit for a program in another place; polkit and
# udev look nowhere else.
skipped() {
    [ "$prefix" != /usr ] || return 1
    case "$1" in
        lib/systemd/system/* | lib/udev/* | share/polkit-1/*) return 0 ;;
    esac
    return 1
}
# placed FILE: where a file goes. The user's service manager looks into ~/.local/share, and not into ~/.local/lib.
placed() {
    case "$1" in
        lib/systemd/user/*)
            if [ "$prefix" = "${HOME:-/nonexistent}/.local" ]; then printf '%s\n' "share/${1#lib/}"; return; fi ;;
        # Where zsh looks on all systems but Debian.
        share/zsh/vendor-completions/*) printf '%s\n' "share/zsh/site-functions/${1##*/}"; return ;;
    esac
    printf '%s\n' "$1"
}

# An older one goes first, so that nothing of it stays.
[ ! -f "$list" ] || remove
mkdir -p "$prefix/share/greenroom"
# First of all: whatever happens, it can be taken back.
: >"$list"
(cd "$here/usr" && find . -type f | sed 's|^\./||' | LC_ALL=C sort) | while read -r file; do
    if skipped "$file"; then continue; fi
    to=$(placed "$file")
    mkdir -p "$prefix/$(dirname "$to")"
    printf '%s\n' "$to" >>"$list"
    case "$file" in
        *.service)
            sed -e "s|^ExecStart=greenroom |ExecStart=$prefix/bin/greenroom |" \
                -e "s|^\(Exec\(Start\)\{0,1\}\)=/usr/bin/|\1=$prefix/bin/|" "$here/usr/$file" >"$prefix/$to"
            chmod 644 "$prefix/$to" ;;
        *)
            # A running greenroom keeps the file that it was started from.
            rm -f "$prefix/$to"
            cp "$here/usr/$file" "$prefix/$to"
            if [ -x "$here/usr/$file" ]; then chmod 755 "$prefix/$to"; else chmod 644 "$prefix/$to"; fi ;;
    esac
done
cp "$here/install.sh" "$prefix/share/greenroom/install.sh"
chmod 755 "$prefix/share/greenroom/install.sh"
printf '%s\n' share/greenroom/install.sh >>"$list"

printf 'greenroom is in %s/bin. To remove it: %s/share/greenroom/install.sh --uninstall --prefix %s\n' \
    "$prefix" "$prefix" "$prefix"
case ":$PATH:" in
    *":$prefix/bin:"*) printf 'Next: greenroom setup\n' ;;
    *) printf '%s/bin is not in your PATH. Next: %s/bin/greenroom setup\n' "$prefix" "$prefix" ;;
esac
command -v ffmpeg >/dev/null || printf 'Without ffmpeg, greenroom can neither read nor record videos: install it, too.\n'
