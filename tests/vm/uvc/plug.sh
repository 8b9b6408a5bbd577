# The USB camera's plug. Sourced in the guest with $camera_program, $media and $logs set.
modprobe dummy_hcd
modprobe gadgetfs
modprobe uvcvideo
mkdir -p /dev/gadget
mount -t gadgetfs gadgetfs /dev/gadget
usb_name="Greenroom Test Camera"

# plug OPTIONS...: plugs the camera in, waits for its node, and sets $usb_node, $usb_pid and $plugged_at. It has one
# mode, MJPEG in $usb_size: camera.c tells why more of them are not safe on a busy machine.
usb_size=320x240
plug() {
    "$camera_program" /dev/gadget --name "$usb_name" --serial 4711 --mjpeg "$usb_size=$media/room-$usb_size.mjpeg" "$@" \
        2>>"$logs/camera.log" &
    usb_pid=$!
    wait_for 30 find_usb_node || return 1
    # Our own looking is slow here: the node itself tells since when it is there.
    plugged_at=$(minus "$(now)" "$(minus "$(date +%s.%N)" "$(stat -c %.Z "$usb_node")")")
}

# The first of the camera's two nodes takes pictures, the other is for metadata.
find_usb_node() {
    local name index
    for name in /sys/class/video4linux/video*/name; do
        index=$(cat "${name%/name}/index")
        if [ "$index" = 0 ] && grep -q "^$usb_name" "$name"; then
            usb_node=/dev/$(basename "${name%/name}")
            [ "$usb_node" != "$unplugged_node" ] && return 0
        fi
    done
    return 1
}
unplugged_node=

# unplug: pulls it out, in mid-stream if it streams. The node's number stays taken (by us) until the next unplug but
# one, so that the camera comes back on another.
unplug() {
    local hold=$usb_node
    [ -z "$holding" ] || exec {holding}>&-
    exec {holding}<>"$hold"
    kill -KILL "$usb_pid"
    wait "$usb_pid" 2>/dev/null
    unplugged_node=$usb_node
    wait_for 10 test ! -e "$hold"
}
holding=
