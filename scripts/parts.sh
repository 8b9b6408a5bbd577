# Long commands side by side, each with its output in one piece. Sourced after lib.sh by scripts that run tests.

# part NAME COMMAND...: something for run_parts to do.
part_names=() part_commands=()
part() {
    part_names+=("$1")
    shift
    part_commands+=("$(printf '%q ' "$@")")
}

# run_parts N: runs all parts, N at a time, in the order in which they were named. What a part prints stands in a file,
# whose name is told when the part begins, and is shown as a whole when it ends. When one fails, the others are run all
# the same; then the script ends with exit code 1 and says which parts failed. Ctrl-C ends all that run.
run_parts() {
    local most=$1 logs next=0 pid code failed=()
    logs=${CARGO_TARGET_DIR:-target}/test-logs
    mkdir -p "$logs"
    # By process id: what runs, and since when.
    declare -gA part_of=()
    declare -A begun=()
    trap end_parts EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    while [ $next -lt ${#part_names[@]} ] || [ ${#part_of[@]} -gt 0 ]; do
        while [ $next -lt ${#part_names[@]} ] && [ ${#part_of[@]} -lt "$most" ]; do
            say "${part_names[next]}: begins (tail -f $logs/part-$next.log)"
            # A session of its own, so that all its processes can be ended with it.
            setsid bash -c "${part_commands[next]}" </dev/null >"$logs/part-$next.log" 2>&1 &
            part_of[$!]=$next begun[$!]=$SECONDS
            next=$((next + 1))
        done
        wait -n "${!part_of[@]}" 2>/dev/null || true
        for pid in "${!part_of[@]}"; do
            kill -0 "$pid" 2>/dev/null && continue
            code=0
            wait "$pid" || code=$?
            say "${part_names[part_of[$pid]]}: ended with $code after $((SECONDS - begun[$pid])) s"
            cat "$logs/part-${part_of[$pid]}.log"
            [ $code = 0 ] || failed+=("${part_names[part_of[$pid]]}")
            unset "part_of[$pid]"
        done
    done
    trap - EXIT INT TERM
    [ ${#failed[@]} -eq 0 ] && return
    say "FAILED, their output is above:"
    printf '  %s\n' "${failed[@]}" >&2
    exit 1
}

# Ends whatever runs, with all its children.
end_parts() {
    local pid
    for pid in "${!part_of[@]}"; do kill -TERM -- "-$pid" 2>/dev/null || true; done
    [ ${#part_of[@]} -eq 0 ] || sleep 1
    for pid in "${!part_of[@]}"; do kill -KILL -- "-$pid" 2>/dev/null || true; done
}
