#!/bin/sh
# An engine that others run, played: it writes down what it is told, and runs programs here.
# `state` beside it holds what it knows.
state="${0%/*}/state"
for word in "$@"; do printf '%s\n' "$word" | head -n 1; done | tr '\n' ' ' >>"$state/calls"
echo >>"$state/calls"
say() { echo "$1" >&2; }
here() { # of a container
    test -d "$state/$1" || { say "no such container: $1"; exit 1; }
}
case "$1" in
info)
    test -e "$state/away" && { say "cannot connect to the engine"; exit 1; }
    cat "$state/security"
    ;;
image) test -e "$state/image" || { say "no such image: $3"; exit 1; } ;;
ps) cd "$state" && ls -d slipway-* 2>/dev/null || : ;;
kill)
    signal=KILL
    test "$2" = --signal && signal="$3" && shift 2
    here "$2" && kill -s "$signal" -- "-$(cat "$state/$2/pid")"
    ;;
inspect) for id in "$@"; do :; done; here "$id" && cat "$state/$id/state" ;;
rm) for id in "$@"; do :; done; here "$id" && rm -rf "${state:?}/$id" ;;
run | --runtime | --runtime-flag)
    given=""
    own=""
    limits="ulimit -c 0"
    while [ $# -gt 0 ]; do
        case "$1" in
        run | --init | --interactive | --read-only | --*=*) ;;
        --name) name="$2" && shift ;;
        --mount)
            case "$2" in
            *,dst=/workspace) work="${2#*src=}" && work="${work%%,*}" ;;
            *,dst=/home/agent) own="${2#*src=}" && own="${own%%,*}" ;;
            esac
            shift
            ;;
        --ulimit)
            value="${2##*:}"
            case "$2" in
            nofile=*) limits="$limits; ulimit -n $value" ;;
            fsize=*) limits="$limits; ulimit -f $((value / 512))" ;;
            esac
            shift
            ;;
        --env)
            case "$2" in
            PATH=* | LANG=*) given="$given $2" ;;
            *=*) ;; # its home and its temporary files are here
            *) eval "given=\"\$given $2=\$$2\"" ;;
            esac
            shift
            ;;
        --*) shift ;;
        *) break ;;
        esac
        shift
    done
    mkdir -p "$state/$name/home" "$state/$name/tmp"
    echo "created 128 false" >"$state/$name/state"
    test -e "$state/broken" && { say "Error: the runtime is broken"; exit 125; }
    while [ "$1" != -- ]; do shift; done
    shift
    exec 3<&0
    cd "$work" || exit 125
    # shellcheck disable=SC2086
    env -i --default-signal=INT $given HOME="${own:-$state/$name/home}" TMPDIR="$state/$name/tmp" \
        setsid sh -c "$limits; exec \"\$@\"" sh "$@" <&3 3<&- &
    pid=$!
    echo "$pid" >"$state/$name/pid"
    wait "$pid" 2>/dev/null
    code=$?
    kill -s KILL -- "-$pid" 2>/dev/null
    memory=false
    test -e "$state/hungry" && memory=true
    test -d "$state/$name" && echo "exited $code $memory" >"$state/$name/state"
    exit "$code"
    ;;
*) say "unknown: $1"; exit 1 ;;
esac
