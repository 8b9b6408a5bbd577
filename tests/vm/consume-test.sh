#!/usr/bin/env bash
# Is the consumer of these tests (consume/) a judge that can say no? consume-test.sh TOOLS, in the guest, any dialect:
# raw frames of the room's colour are a leak, the background is not, a clean end and a lost stream are told apart.
set -uo pipefail
consume=$1/consume
failed=0

expect() { # expect NAME CODE TEXT COMMAND...: the exit code, and a line of the output that matches.
    local name=$1 code=$2 text=$3 got
    shift 3
    timeout 240 "$@" >"$OUT/$name.log" 2>&1
    got=$?
    if [ $got = "$code" ] && grep -qE -- "$text" "$OUT/$name.log"; then
        echo "ok      $name: $(tail -n 1 "$OUT/$name.log")"
    else
        failed=$((failed + 1))
        echo "FAILED  $name: exit code $got, not $code, or no line \"$text\":"
        tail -n 8 "$OUT/$name.log"
    fi
}

feed() { # feed COLOUR [FILTER]: that colour into the loopback, until fed_end.
    ffmpeg -nostdin -v error -re -f lavfi -i "color=c=$1:s=320x180:r=10${2:-}" -pix_fmt yuyv422 -f v4l2 /dev/video11 &
    writer=$!
    local try
    for try in $(seq 50); do [ -n "$(cat /sys/class/video4linux/video11/format)" ] && break; sleep 0.2; done
    sleep 1
}
fed_end() {
    kill "$writer"
    wait "$writer" 2>/dev/null
}

# In BT.601, limited range: red is 81 90 240, the background #00b140 is 111 105 58.
colours=(--room 81,90,240 --background 111,105,58)
for way in mmap read; do
    feed red
    expect "leak-$way" 4 '^LEAK in frame 9: 57600 pixels of the room' "$consume" /dev/video11 --$way --frames 10 "${colours[@]}"
    fed_end
    feed 0x00b140
    expect "background-$way" 0 '^10 frames: 10 composed, 0 placeholder, 0 other; 0 with a leak' \
        "$consume" /dev/video11 --$way --frames 10 "${colours[@]}"
    expect "until-$way" 0 '^3 frames: 3 composed' "$consume" /dev/video11 --$way --until composed:3 "${colours[@]}"
    fed_end
    # Eight by eight pixels of the room in a picture of the background.
    feed 0x00b140 ',drawbox=x=100:y=100:w=8:h=8:color=red:t=fill'
    expect "small-leak-$way" 4 '^LEAK in frame 0: [3-7][0-9] pixels' \
        "$consume" /dev/video11 --$way --frames 3 "${colours[@]}"
    fed_end
    feed black
    expect "black-$way" 0 '^5 frames: 0 composed, 0 placeholder, 5 other' "$consume" /dev/video11 --$way --frames 5 "${colours[@]}"
    fed_end
done
feed black
(sleep 4; fed_end) &
expect no-more-frames 3 '^ENDED at (poll|DQBUF)' "$consume" /dev/video11 --mmap --patience 5 "${colours[@]}"
kill "$writer" 2>/dev/null
expect no-node 3 '^ENDED at open: No such file' "$consume" /dev/video99 --mmap
[ $failed = 0 ]
