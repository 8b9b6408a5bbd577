#!/usr/bin/env bash
# In the guest: switch.sh PROGRAMS CHANGES.
set -uo pipefail
programs=$1 changes=$2
v4l2-ctl -d /dev/video0 -c test_pattern=7 -c osd_text_mode=2
RUST_BACKTRACE=0 exec "$programs/xtask" switch --greenroom "$programs/greenroom" --camera /dev/video0 \
    --node /dev/video10 --size 320x180 --fps 5 --changes "$changes" --slow 30
