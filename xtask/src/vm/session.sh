# Second half of the guest's life, in its real root: runs the job, hands its exit code over, switches off.
# $1 is the run folder: the same path on the host and here.
b=/run/greenroom-vm/busybox
run=$1

# What the job prints goes out of the machine through a virtio port. The pipe makes /dev/stdout work for the job:
# the port itself can be opened only once.
port=
tries=0
until [ -c "$port" ] || [ $tries -ge 100 ]; do
    $b sleep 0.05
    port=/dev/$($b ls /sys/class/virtio-ports)
    tries=$((tries + 1))
done
$b mkfifo /run/greenroom-vm/output
$b cat /run/greenroom-vm/output >"$port" &
cat_pid=$!
: >"$run/started"
# The machine's own shell: busybox's would prefer its built-in programs to the real ones.
$b setsid /bin/sh "$run/job.sh" </dev/null >/run/greenroom-vm/output 2>&1
code=$?

# A job may leave programs behind that hold the pipe open; what they print after it is not waited for long.
tries=0
while $b kill -0 $cat_pid 2>/dev/null && [ $tries -lt 10 ]; do $b sleep 0.1; tries=$((tries + 1)); done

echo $code >"$run/exit-code"
$b sync
$b poweroff -f
