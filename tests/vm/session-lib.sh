# What usb.sh and lifecycle.sh share. Sourced in the guest with $greenroom and $consume set.
export XDG_RUNTIME_DIR=/run
# BT.601, limited range: the background that is asked for, #00b140, and the room that nobody may see, plain red.
background='#00b140'
colours=(--background 111,105,58 --room 81,90,240)
# Logs grow in memory; keep_logs brings them back.
logs=/tmp/logs
mkdir -p $logs
passed=0 failed=0

# wait_for SECONDS COMMAND...: until the command succeeds. Nothing is judged by the limit: it is four times as long, for a
# host that is so busy that its files come late.
wait_for() {
    local end=$((SECONDS + 4 * $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || { echo "waited in vain for: $*"; return 1; }
        sleep 0.1
    done
}

now() { cut -d ' ' -f 1 /proc/uptime; }
is_running() { kill -0 "$1" 2>/dev/null && [ "$(ps -o stat= -p "$1" | cut -c 1)" != Z ]; }

# start_greenroom NAME ARGUMENTS...: `greenroom run` in the background, into $output; sets $pid and $log.
output=/dev/video10
start_greenroom() {
    log=$logs/$1.greenroom.log
    shift
    "$greenroom" -v run --output "$output" --background "$background" "$@" >>"$log" 2>&1 &
    pid=$!
}

# It writes to the node: a consumer that comes now finds a virtual camera.
is_serving() { [ -n "$(cat /sys/class/video4linux/video10/format)" ] && consumes --mmap --frames 1; }

stop_greenroom() {
    kill -TERM "$pid"
    wait "$pid"
    local code=$?
    [ $code = 0 ] || echo "greenroom ended with $code"
    return $code
}

consumes() { timeout 240 "$consume" /dev/video10 "$@" "${colours[@]}"; }

# start_consumer NAME ARGUMENTS...: a consumer that stays; sets $reader and $frames, the file of its lines.
start_consumer() {
    frames=$logs/$1.consumer.log
    shift
    "$consume" /dev/video10 "$@" "${colours[@]}" >"$frames" 2>&1 &
    reader=$!
}

# stop_consumer: it must have been reading to the end, without one pixel of the room and no frame of another kind.
stop_consumer() {
    is_running "$reader" || { echo "the consumer had ended by itself:"; tail -n 3 "$frames"; }
    kill -TERM "$reader"
    wait "$reader"
    local code=$?
    tail -n 1 "$frames"
    [ $code = 0 ] || { echo "the consumer's exit code is $code"; grep -m 5 'ENDED\|LEAK' "$frames"; return 1; }
    grep -q ' 0 other; 0 with a leak' <<<"$(tail -n 1 "$frames")" || { grep -m 5 ' other ' "$frames"; return 1; }
}

# first_frame CLASS TIME: when the first frame of that class later than TIME was read; nothing if it was not yet.
first_frame() {
    awk -v class="$1" -v after="$2" '$1 == "frame" && $6 > after && $9 == class { print $6; exit }' "$frames"
}
has_frame() { [ -n "$(first_frame "$@")" ]; }
# composed_since TIME N: N composed frames were read since. (On a busy machine the guest takes two seconds for one, and
# there are placeholders between them, as there must be.)
composed_since() { [ "$(awk -v after="$1" '$6 > after && $9 == "composed"' "$frames" | wc -l)" -ge "$2" ]; }

minus() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a - b }'; }
descriptors() { ls "/proc/$pid/fd" | wc -l; }
resident_kib() { awk '/^VmRSS/ { print $2 }' "/proc/$pid/status"; }
camera_is_open() { ls -l "/proc/$pid/fd" | grep -qE -- "-> $1( \(deleted\))?\$"; }
camera_is_closed() { ! camera_is_open "$1"; }

# tell_of_greenroom: what it said last, and what its threads do.
tell_of_greenroom() {
    [ -n "${log:-}" ] && [ -n "${pid:-}" ] || return
    echo "  greenroom's log, $log:"
    tail -n 25 "$log" | sed 's/^/    /'
    is_running "$pid" || { echo "  it has ended"; return; }
    local task
    for task in "/proc/$pid/task"/*; do
        echo "    $(cat "$task/comm"): $(awk '/^State/ { print $2, $3 }' "$task/status"), $(cat "$task/wchan")"
    done 2>/dev/null
}

# a_case NAME COMMAND...: runs it and prints one line of the table; if it failed, what it said is shown, and how greenroom is.
a_case() {
    local name=$1 code
    shift
    "$@" >"$logs/$name.log" 2>&1
    code=$?
    case $code in
    0) passed=$((passed + 1)); echo "case $name ok"; grep '^note ' "$logs/$name.log" | sed 's/^/    /' ;;
    77) echo "case $name n/a"; sed 's/^/    /' "$logs/$name.log" | tail -n 2 ;;
    *)
        failed=$((failed + 1))
        echo "case $name FAILED"
        tail -n 25 "$logs/$name.log" | sed 's/^/    /'
        tell_of_greenroom
        ;;
    esac
    [ $code = 0 ] || [ $code = 77 ]
}

keep_logs() { cp -r $logs "$OUT/"; dmesg >"$OUT/dmesg"; }
