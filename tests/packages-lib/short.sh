# What can be said of the packages before one is made. Sourced by tests/packages.

# The files that docs/packages.md lists, as paths below /.
documented() { sed -n '/^```files$/,/^```$/p' docs/packages.md | grep '^/' | LC_ALL=C sort; }
# files_of FOLDER: its files, as paths below it.
files_of() { (cd "$1" && find . ! -type d | sed 's/^\.//' | LC_ALL=C sort); }
# The list of the documentation has patterns for the pages of docs/.
same_lists() {
    local docs
    docs=$(for page in docs/*.md; do echo "/usr/share/doc/greenroom/$page"; done)
    diff <(documented | grep -v '/docs/\*\.md$' | cat - <(echo "$docs") | LC_ALL=C sort) <("$@")
}
# Of a tree without licences: those files are said to be there.
tree_and_licences() {
    {
        files_of "$dist/tree"
        printf '/usr/share/doc/greenroom/%s\n' THIRD-PARTY-LICENCES.txt.gz greenroom.cdx.json.gz
    } | LC_ALL=C sort -u
}

# No script of a package loads, unloads, starts or stops anything, or touches a home folder.
scripts_do_nothing() {
    local script
    for script in packaging/debian/p*; do
        grep -v '^ *#' "$script" |
            grep -E '(modprobe|rmmod|insmod)( |$)|systemctl|deb-systemd|udevadm|kill|/home|\$HOME|~/' && return 1
    done
    [ -x packaging/debian/postrm ] && ! ls packaging/debian/{pre,post}inst packaging/debian/prerm 2>/dev/null
}

# A copy of the units that start the program of the tree: `verify` wants it to be there.
unit_copies() {
    rm -rf "$work/units"
    mkdir -p "$work/units/system" "$work/units/user"
    cp "$dist/tree/usr/lib/systemd/system/greenroom-camera.service" "$work/units/system"
    cp "$dist/tree/usr/lib/systemd/user/greenroom.service" "$work/units/user"
    sed -i -e "s|=/usr/bin/greenroom|=$dist/tree/usr/bin/greenroom|" -e "s|=greenroom run|=$dist/tree/usr/bin/greenroom run|" \
        "$work"/units/*/*.service
}
# Silence is what `verify` says of a unit that is right.
verified() {
    local said
    said=$(XDG_RUNTIME_DIR=$work systemd-analyze verify --man=no "$@" 2>&1) && [ -z "$said" ] || { echo "$said"; return 1; }
}
# exposed_at_most TENTHS UNIT...: the exposure that systemd reckons, of 100.
exposed_at_most() { systemd-analyze security --offline=true --no-pager --threshold="$1" "${@:2}"; }

# unpacked: the tarball's folder as install.sh finds it.
unpacked() {
    rm -rf "$work/unpacked" "$work/prefix" "$work/home"
    mkdir -p "$work/unpacked" "$work/prefix/bin" "$work/home"
    cp -r "$dist/tree/usr" "$work/unpacked/usr"
    cp packaging/install.sh "$work/unpacked"
    touch "$work/prefix/bin/somebody-elses"
}
installs_and_removes() {
    local install=("$work/unpacked/install.sh" --prefix "$work/prefix")
    HOME=$work/home "${install[@]}" || return 1
    # Again over itself, as an update does.
    HOME=$work/home "${install[@]}" || return 1
    "$work/prefix/bin/greenroom" --version || return 1
    grep -qx "ExecStart=$work/prefix/bin/greenroom run" "$work/prefix/lib/systemd/user/greenroom.service" || return 1
    grep -qx "Exec=$work/prefix/bin/greenroom run" "$work"/prefix/share/dbus-1/services/*.service || return 1
    [ ! -e "$work/prefix/lib/systemd/system" ] && [ ! -e "$work/prefix/share/polkit-1" ] || return 1
    "$work/prefix/share/greenroom/install.sh" --uninstall --prefix "$work/prefix" || return 1
    [ "$(cd "$work/prefix" && find . -type f)" = ./bin/somebody-elses ] && [ ! -e "$work/prefix/share/greenroom" ]
}
refuses() { local code=0; "$work/unpacked/install.sh" "$@" || code=$?; [ $code = 2 ]; }

# The completions are what each shell reads.
completions_parse() {
    bash -n "$dist/tree/usr/share/bash-completion/completions/greenroom" &&
        head -n 1 "$dist/tree/usr/share/zsh/vendor-completions/_greenroom" | grep -qx '#compdef greenroom' &&
        grep -q 'complete -c greenroom' "$dist/tree/usr/share/fish/vendor_completions.d/greenroom.fish" &&
        grep -q 'edit:completion:arg-completer\[greenroom\]' "$dist/tree/usr/share/elvish/lib/greenroom.elv"
}
manual_page_is_clean() {
    command -v man >/dev/null || return 0
    local said
    said=$(LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings --encoding=utf8 --local-file \
        "$dist/tree/usr/share/man/man1/greenroom.1.gz" 2>&1 >/dev/null) && [ -z "$said" ] || { echo "$said"; return 1; }
}
# The rule for WirePlumber 0.4 on made-up nodes, in Lua, with the operators that it uses.
lua_rule_matches_ours_alone() {
    local lua
    lua=$(command -v lua5.3 || command -v lua5.4 || command -v lua) || return 1
    "$lua" tests/packages-lib/wireplumber.lua packaging/wireplumber/60-greenroom.lua
}

short() {
    install shellcheck systemd lua5.4 gzip
    # Whichever program is there already: what is looked at does not depend on how it was built.
    local profile=dev
    [ ! -x "$target/shipped/greenroom" ] || profile=shipped
    [ $profile = shipped ] || [ -x "$target/debug/greenroom" ] || cargo build --package greenroom
    say "the files in their places"
    cargo xtask dist --only tree --profile $profile --no-build --without-licences >"$work/tree.log" 2>&1 ||
        { cat "$work/tree.log"; fail "the tree was not made"; }
    check "the files are those of docs/packages.md, and no others" same_lists tree_and_licences
    check "no script of a package loads, unloads, starts or stops anything" scripts_do_nothing
    check "shellcheck: install.sh, maintainer scripts" shellcheck packaging/install.sh packaging/debian/postrm
    # Variables that makepkg sets and reads.
    check "shellcheck: PKGBUILD" shellcheck --shell=bash -e SC2034,SC2154,SC2164,SC2016 packaging/arch/PKGBUILD
    unit_copies
    check "systemd-analyze verify: the boot unit" verified "$work/units/system/greenroom-camera.service"
    check "systemd-analyze verify: the user's unit" verified --user "$work/units/user/greenroom.service"
    # 10 is as exposed as can be; what cannot be had in a user's unit is told there.
    check "systemd-analyze security: the boot unit" exposed_at_most 60 "$work/units/system/greenroom-camera.service"
    check "install.sh installs, updates and removes" eval 'unpacked && installs_and_removes'
    check "install.sh refuses a prefix that is none" refuses --prefix relative
    check "install.sh refuses what does not begin with a dash" refuses now
    check "install.sh says where nothing is installed" refuses --uninstall --prefix "$work/home"
    check "completions for four shells" completions_parse
    check "the manual page has no warnings" manual_page_is_clean
    check "WirePlumber's rule (0.4) matches our nodes alone" lua_rule_matches_ours_alone
    if command -v nix-instantiate >/dev/null; then
        check "the flake's files are Nix" nix-instantiate --parse flake.nix packaging/nix/package.nix packaging/nix/module.nix
    fi
}
