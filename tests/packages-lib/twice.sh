# Two builds in different folders, byte by byte. Sourced by tests/packages.

twice() {
    say "building here"
    cargo xtask dist
    local other=$work/another-folder
    say "building in $other"
    rm -rf "$other"
    git clone --quiet . "$other/clone"
    cp -r assets "$other/clone/"
    mkdir -p "$other/target"
    # Their compilation takes longer than ours, and they are no part of what is compared.
    cp -r "$target/dist-tools" "$other/target/dist-tools"
    (cd "$other/clone" && CARGO_TARGET_DIR=$other/target cargo xtask dist)
    local made
    for made in "$dist"/greenroom_*.deb "$dist"/greenroom-*.rpm "$dist"/greenroom-*.tar.xz "$dist"/greenroom-*.cdx.json "$dist/SHA256SUMS"; do
        check "the same bytes: $(basename "$made")" cmp "$made" "$other/target/dist/$(basename "$made")"
    done
    rm -rf "$other"
}
