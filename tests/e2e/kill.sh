#!/bin/sh
# kill.sh PID [children]: end a process as hard as it gets, and all that it started.
for p in /proc/[0-9]*; do
	n=${p#/proc/}
	[ "$n" = "$1" ] || { [ -n "$2" ] && [ "$(cut -d' ' -f4 "$p/stat" 2>/dev/null)" = "$1" ]; } || continue
	all="$all $n"
done
kill -9 $all 2>/dev/null
:
