# What packaging/container/test is made of; lib.sh of scripts/ is there already, and we stand in the repository.
work=$(mkdir -p "${CARGO_TARGET_DIR:-target}/container" && cd "${CARGO_TARGET_DIR:-target}/container" && pwd)
media=$work/media made=$work/made theirs=$work/theirs image=localhost/greenroom:test project=greenroom-test
rm -rf "$media" "$made" "$theirs"
mkdir -p "$work/tmp" "$media" "$made" "$theirs"
chown 1000:44 "$made"
chown 4711:4711 "$theirs"

# Own storage and own settings. runc: crun refuses machines that have both kinds of cgroups; limits are named because
# podman's defaults are above what a container that we may be in ourselves can have.
driver=vfs
grep -qw overlay /proc/filesystems && driver=overlay
printf '[storage]\ndriver = "%s"\ngraphroot = "%s"\nrunroot = "%s"\n' "$driver" "$work/storage" "$work/run" \
    >"$work/storage.conf"
printf '%s\n' '[containers]' 'default_ulimits = ["nofile=1024:4096", "nproc=4096:4096"]' \
    '[network]' 'network_backend = "netavark"' '[engine]' 'runtime = "runc"' 'cgroup_manager = "cgroupfs"' 'events_logger = "file"' >"$work/containers.conf"
export CONTAINERS_STORAGE_CONF=$work/storage.conf CONTAINERS_CONF=$work/containers.conf TMPDIR=$work/tmp

passed=0 failed=0
check() {
    local what=$1 log=$work/check.log
    shift
    if "$@" >"$log" 2>&1; then
        passed=$((passed + 1))
        printf '   ok    %s%s\n' "$what" "$(tail -n 1 "$log" | grep '^= ' | sed 's/^= /: /')"
    else
        failed=$((failed + 1))
        printf '   FAIL  %s\n' "$what"
        sed 's/^/         /' "$log" | tail -n 12
    fi
}
finish() {
    printf '\n%s passed, %s failed\n' "$passed" "$failed"
    [ "$failed" = 0 ]
}
not() { ! "$@"; }
# eventually COMMAND...: tries it for 15 s.
eventually() {
    local end=$((SECONDS + 15))
    # What is told of a failure is that of the last try.
    until "$@" >"$work/try.log" 2>&1 || { [ $SECONDS -ge $end ] && { cat "$work/try.log"; return 1; }; }; do
        sleep 0.3
    done
    cat "$work/try.log"
}

# The two images that the Dockerfile begins from. The real ones come from a registry; these have the same system.
make_bases() {
    if ! podman image exists localhost/debian:bookworm-slim; then
        rm -rf "$work/root"
        debootstrap --variant=minbase bookworm "$work/root" >"$work/debootstrap.log" ||
            { tail "$work/debootstrap.log"; fail "debootstrap could not make a Debian root"; }
        # What makes a Debian image "slim".
        printf 'path-exclude=%s\n' '/usr/share/doc/*' '/usr/share/man/*' '/usr/share/locale/*' '/usr/share/info/*' \
            >"$work/root/etc/dpkg/dpkg.cfg.d/slim"
        printf 'path-include=%s\n' '/usr/share/doc/*/copyright' >>"$work/root/etc/dpkg/dpkg.cfg.d/slim"
        find "$work/root/usr/share/doc" -type f ! -name copyright -delete
        rm -rf "$work"/root/usr/share/{man,locale,info}/* "$work"/root/var/{lib/apt/lists,cache/apt,log}/*
        tar -C "$work/root" -c . | podman import -q - localhost/debian:bookworm-slim >/dev/null
        rm -rf "$work/root"
    fi
    # The Rust of this machine is mounted while the image is built; the certificates and proxies that package clients
    # need here go with it, and stay in the build stage. (Not to the usual place: Debian's own package writes there.)
    local base name
    base=$(buildah from localhost/debian:bookworm-slim)
    buildah config --env "PATH=/opt/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" "$base"
    if [ -e /etc/ssl/certs/ca-certificates.crt ]; then
        buildah copy -q "$base" /etc/ssl/certs/ca-certificates.crt /opt/certificates.crt >/dev/null
        buildah config --env SSL_CERT_FILE=/opt/certificates.crt --env NODE_EXTRA_CA_CERTS=/opt/certificates.crt "$base"
    fi
    for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
        [ -z "${!name:-}" ] || buildah config --env "$name=${!name}" "$base"
    done
    buildah commit -q --rm "$base" localhost/rust:1.95-slim-bookworm >/dev/null
}
make_image() {
    buildah bud --layers --network host --volume "$(rustc --print sysroot):/opt/rust:ro" \
        --build-arg RUST_IMAGE=localhost/rust:1.95-slim-bookworm \
        --build-arg BASE_IMAGE=localhost/debian:bookworm-slim \
        --tag "$image" . >"$work/build.log" 2>&1 || { tail -n 30 "$work/build.log"; fail "the image was not built"; }
}

# As compose.yaml runs it: no network where none is asked for, no rights, nothing to write to.
contained=(--read-only --cap-drop ALL --security-opt no-new-privileges
    --tmpfs /tmp:size=1m,mode=1777)
# run_image [OPTION... --] ARGUMENT...: to its end.
run_image() {
    local options=()
    if [[ " $* " == *" -- "* ]]; then
        while [ "$1" != -- ]; do options+=("$1"); shift; done
        shift
    fi
    podman run --rm --network none "${contained[@]}" "${options[@]}" "$image" "$@"
}
# start NAME OPTION... -- ARGUMENT...: in the background.
start() {
    local name=$1 options=()
    shift
    while [ "$1" != -- ]; do options+=("$1"); shift; done
    shift
    [[ " ${options[*]} " == *" --network "* ]] || options+=(--network none)
    podman rm -f "$name" >/dev/null 2>&1 || true
    podman run -d --name "$name" "${contained[@]}" "${options[@]}" "$image" "$@" >"$work/start.log" 2>&1 ||
        sed 's/^/   /' "$work/start.log"
}
in_container() { podman exec "$@"; }
stops_well() {
    local begun ended status
    begun=$(date +%s%N)
    podman stop --time 10 "$1"
    ended=$(date +%s%N)
    status=$(podman inspect -f '{{.State.ExitCode}}' "$1")
    podman logs "$1" 2>&1 | tail -n 5
    podman rm "$1" >/dev/null
    echo "exit status $status after $(((ended - begun) / 1000000)) ms"
    [ "$status" = 0 ] && [ $(((ended - begun) / 1000000)) -lt 2000 ] && echo "= $(((ended - begun) / 1000000)) ms"
}
# A file gets its name only when it is whole: that frames go out, the status tells.
frames_leave() { podman exec "$1" greenroom status --json | python3 packaging/container/look.py status; }
only_loopback() { [ "$(podman exec "$1" sh -c 'tail -n +3 /proc/net/dev' | awk '{print $1}')" = lo: ]; }
no_zombie() {
    local states
    states=$(podman exec "$1" sh -c 'cat /proc/[0-9]*/stat 2>/dev/null')
    echo "$states"
    [ -n "$states" ] && ! grep -q ') Z ' <<<"$states"
}
logs_name() { podman logs "$1" 2>&1 | tee /dev/stderr | grep -q "$2"; }
has_notice() {
    podman run --rm --entrypoint cat "$image" /usr/share/doc/greenroom/NOTICE | grep -i mediapipe
}
has_no_tools() { podman run --rm --entrypoint sh "$image" -c '! command -v cargo gcc npm python3 curl'; }
mistake() {
    local words status=0
    words=$(run_image run --background /nowhere.jpg --camera demo --output null 2>&1) || status=$?
    echo "$words"
    echo "exit status $status"
    [ "$status" = 2 ] && [ "$(wc -l <<<"$words")" = 1 ]
}

make_clip() {
    # With a grid on the wall, which no blurred room has.
    ffmpeg -v error -y -i assets/footage/demo.mp4 -f lavfi -i 'color=white:s=150x120,drawgrid=w=8:h=8:t=2:c=black' \
        -filter_complex '[0]fps=30,scale=640:-2,crop=640:360[room];[room][1]overlay' \
        -t 2 -c:v ffv1 -pix_fmt yuv420p "$media/clip.mkv"
    ffmpeg -v error -y -ss 1 -i "$media/clip.mkv" -frames:v 1 "$media/frame.jpg"
    # Left half red, right half blue: whoever sees it knows which way round it was put.
    ffmpeg -v error -y -f lavfi -i color=red:s=320x360 -f lavfi -i color=blue:s=320x360 -filter_complex hstack \
        -frames:v 1 "$media/background.png"
    cp "$media/clip.mkv" "$theirs/demo.mkv"
}

# compose.yaml as it is, through podman's socket that speaks Docker's language. No camera is here: devices that every
# machine has stand in their place, and an override has a file play the camera.
compose() { docker-compose -p "$project" -f compose.yaml -f "$work/compose.here.yaml" "${more[@]}" "$@"; }
compose_up() {
    more=()
    export DOCKER_HOST=unix://$work/podman.sock ACTUAL_CAMERA=/dev/null FAKE_CAMERA=/dev/zero \
        BACKGROUNDS=$media MASK_SERVER_PORT=127.0.0.1:19001 BACKGROUND_FILE=/data/background.png
    # The limits of containers.conf do not count for what comes over the socket.
    cat >"$work/compose.here.yaml" <<EOF
services:
  greenroom:
    image: $image
    ulimits: &ulimits {nofile: {soft: 1024, hard: 4096}, nproc: 4096}
    volumes: ["$media:/in:ro", "$made:/out"]
    environment: {ACTUAL_CAMERA: /in/clip.mkv, FAKE_CAMERA: /out/compose.y4m}
  mask-server:
    image: $image
    ulimits: *ulimits
EOF
    podman system service --time 0 "$DOCKER_HOST" >"$work/service.log" 2>&1 &
    service=$!
    trap 'kill $service 2>/dev/null' EXIT
    eventually test -S "$work/podman.sock"
    check "docker-compose up" compose --profile mask-server up --detach --no-build
}
container_of() { podman ps -q --filter "label=com.docker.compose.project=$project" \
    --filter "label=com.docker.compose.service=$1"; }
# podman runs health checks by systemd timers, which may not be here: asked for by hand.
healthy() { podman healthcheck run "$(container_of "$1")"; }
shares_network() {
    more=(-f compose.mask-server.yaml)
    compose --profile mask-server up --detach --no-build || return 1
    [ "$(podman exec "$(container_of greenroom)" readlink /proc/self/ns/net)" = \
        "$(podman exec "$(container_of mask-server)" readlink /proc/self/ns/net)" ]
}
compose_down() {
    # First who has only borrowed a network.
    podman rm -f --time 3 "$(container_of greenroom)" >/dev/null
    compose --profile mask-server down --timeout 3 >"$work/down.log" 2>&1 || cat "$work/down.log"
    kill "$service"
    wait "$service" 2>/dev/null || true
    trap - EXIT
}
