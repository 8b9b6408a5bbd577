# greenroom as an image: `docker compose build`, or `docker build -t greenroom .`; docs/docker.md tells the rest.
#
# Both bases can be others of the same Debian: packaging/container/test builds them from nothing.
ARG RUST_IMAGE=rust:1.95-slim-bookworm
ARG BASE_IMAGE=debian:bookworm-slim

FROM ${RUST_IMAGE} AS build
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
        clang gcc libc6-dev libpipewire-0.3-dev libturbojpeg0-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# The networks are compiled in. They come with the build context where it has them; else npm gets them, which only this
# stage sees. Either way xtask-assets compares each with the SHA-256 of assets.toml.
RUN --mount=type=cache,target=/var/cache/greenroom,sharing=locked \
    export CARGO_HOME=/var/cache/greenroom/cargo CARGO_TARGET_DIR=/var/cache/greenroom/target \
    && get_assets="cargo run --locked --release --quiet --package xtask-assets" \
    && { $get_assets || { apt-get update -qq \
        && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends npm >/dev/null \
        && $get_assets; }; } \
    && cargo build --locked --release --package greenroom \
    && install -D "$CARGO_TARGET_DIR/release/greenroom" /out/bin/greenroom \
    && strip --strip-debug /out/bin/greenroom \
    && install -Dm644 assets/footage/demo.mp4 /out/share/greenroom/footage/demo.mp4 \
    && install -Dm644 -t /out/share/greenroom/backgrounds backgrounds/* \
    && install -Dm644 -t /out/share/doc/greenroom LICENSE-* assets/NOTICE \
    && install -Dm644 -t /out/share/doc/greenroom/licences assets/licences/*

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="greenroom" \
      org.opencontainers.image.description="A virtual camera that puts you before another background" \
      org.opencontainers.image.licenses="(MIT OR Apache-2.0) AND Apache-2.0"
# Debian's ffmpeg asks for the drivers with which a window would be drawn on a GPU: 160 MB that are opened only then.
# dpkg leaves those files out, as the base leaves out manual pages; ffmpeg and ffprobe are run to see that they start.
RUN printf 'path-exclude=%s\n' '/usr/lib/*/libLLVM*' '/usr/lib/*/libz3.so*' '/usr/lib/*/dri/*' \
        '/usr/lib/llvm-*' '/usr/share/icons/*' '/usr/share/X11/*' >/etc/dpkg/dpkg.cfg.d/greenroom \
    && apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends ffmpeg libpipewire-0.3-0 libturbojpeg0 >/dev/null \
    && apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/debconf/* /var/log/apt /var/log/dpkg.log \
    && ffmpeg -version >/dev/null && ffprobe -version >/dev/null \
    && useradd --uid 1000 --gid video --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin greenroom \
    && install -d /data
COPY --from=build /out /usr
COPY packaging/container/entrypoint /usr/libexec/greenroom-entrypoint

# Numbers, so that whoever runs the image can see that it is not root; 44 is the group video on Debian and Ubuntu.
USER 1000:44
WORKDIR /data
# Not below /run: a runtime that lays its own tmpfs there, or over a folder of it, does not leave it open to user 1000.
ENV GREENROOM_SOCKET=/tmp/greenroom.sock
# ONNX Runtime 1.29 and later report to their maker if nobody says otherwise.
ENV ORT_DISABLE_TELEMETRY=1
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/libexec/greenroom-entrypoint"]
CMD ["run"]
