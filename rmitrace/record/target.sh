#!/bin/sh
# Record the SMCs of this machine (arm64 Linux) into one trace.dat. Made by "rmitrace record --script" @VERSION@.
#
#   sh THIS [-o FILE] [--for SECONDS] [--buffers] [--kvm] [--dry-run] [-- COMMAND...]
#
# --fed SECONDS is for a caller over a connection: it says a line on standard input now and then; "stop" ends the recording,
# and when nothing comes for so long the connection is taken for dead.
#
# Needs root and a POSIX shell with the usual tools (busybox will do); no perf, no Python. What it does is said by --dry-run.
# It works in a tracing instance and with probes of its own names (rmitrace_PID_...), and takes them away when it ends; what
# a killed run left behind is taken away by a watcher within seconds, and else by the next run (or by --clean).

{ # all of it is read before any of it runs, so that half of it is never run, nor read by what it starts

LC_ALL=C
export LC_ALL
umask 077

say() { printf 'rmitrace: %s\n' "$*" >&2; }
die() { say "$*"; exit 2; }

usage() {
	cat >&2 <<'EOF'
usage: record [-o FILE] [--for SECONDS] [--buffers] [--kvm] [--doe-function NAME] [--buffer-size KB] [--clock NAME]
              [--dry-run] [--clean] [-- COMMAND...]

  -o FILE              the capture (default rmitrace-HOST-TIME.dat; - is standard output)
  --for SECONDS        how long; without it and without COMMAND until Ctrl-C
  COMMAND...           record while this runs
  --buffers            also the bytes of DOE requests and responses (SPDM), 2944 of each at most
  --kvm                also the events of KVM: entries and exits of guests (many)
  --doe-function NAME  a function with the arguments of pci_doe() that carries SPDM too, beside pci_doe itself
  --buffer-size KB     of the trace buffer of each CPU (default 4096, less where memory is short)
  --clock NAME         trace clock (default mono; another one leaves out the breakpoints)
  --no-breakpoints     do not use hardware breakpoints
  --dry-run            print what would be done
  --clean              take away what killed runs left behind, and end
EOF
}

# --- options

out= secs= buffers= kvm= doe= size= clock=mono dry= clean= breakpoints=1 fed=
while [ $# -gt 0 ]; do
	case $1 in
	-o | --for | --doe-function | --buffer-size | --clock | --fed) [ $# -gt 1 ] || die "$1 needs a value" ;;
	esac
	case $1 in
	-o) out=$2; shift ;;
	--for) secs=${2%s}; shift ;;
	--doe-function) doe=$2; shift ;;
	--buffer-size) size=$2; shift ;;
	--clock) clock=$2; shift ;;
	--fed) fed=$2; shift ;;
	--buffers) buffers=1 ;;
	--kvm) kvm=1 ;;
	--no-breakpoints) breakpoints= ;;
	--dry-run) dry=1 ;;
	--clean) clean=1 ;;
	-h | --help) usage; exit 0 ;;
	--) shift; break ;;
	-*) usage; die "no option $1" ;;
	*) break ;;
	esac
	shift
done
case $secs in *[!0-9.]* | *.*.*) die "--for: $secs is no number of seconds" ;; esac
case $fed in *[!0-9]*) die "--fed: $fed is no number of seconds" ;; esac
case $size in *[!0-9]*) die "--buffer-size: $size is no number of KiB" ;; esac
case $doe in *[!A-Za-z0-9_.]*) die "--doe-function: $doe is no name of a function" ;; esac
case $clock in *[!a-z0-9_]*) die "--clock: $clock is no name of a clock" ;; esac
[ "$clock" = mono ] || breakpoints=

# --- where we are

arch=$(uname -m)
[ "$arch" = aarch64 ] || [ -n "$dry" ] || die "this machine is $arch: SMCs are those of arm64 (aarch64) Linux"
[ "$(id -u)" = 0 ] || die "must be root to trace the kernel: run it with sudo"

me=$$
rand=
[ ! -r /proc/sys/kernel/random/uuid ] || read -r rand </proc/sys/kernel/random/uuid
id=rmitrace_${me}_${rand%%-*}
fs= mounted= tmp= watcher= watching= feeder= tap= tapping= notes= probes=0

find_tracefs() {
	while read -r _ where kind _; do
		if [ "$kind" = tracefs ] && [ -d "$where/events" ]; then
			fs=$where
			return 0
		fi
	done </proc/mounts
	[ -d /sys/kernel/debug/tracing/events ] && fs=/sys/kernel/debug/tracing && return 0
	return 1
}

# Whether the run that made a name (rmitrace_PID_RANDOM...) still goes on.
alive() {
	pid=${1#rmitrace_}
	pid=${pid%%_*}
	case $pid in '' | *[!0-9]*) return 1 ;; esac
	case $1 in "$id"*) return 0 ;; esac
	mark=$(folder_of "$1")/.rmitrace
	[ -s "$mark" ] && [ "$(cat "$mark")" = "$(born "$pid")" ]
}

# When a process started, in ticks since boot: with the pid it names a process for good.
born() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# The folder of a run: its name is in the instance's, so that one can be found from the other.
folder_of() {
	for d in /run /tmp /var/tmp /dev/shm "${TMPDIR:-/tmp}"; do
		[ -d "$d/$1" ] && printf '%s' "$d/$1" && return 0
	done
	printf '/nowhere'
}

# End what still holds files of an instance open: readers that a killed run left behind.
release() {
	for p in /proc/[0-9]*; do
		[ "${p#/proc/}" = "$me" ] && continue
		for f in "$p"/fd/*; do
			case $(readlink "$f" 2>/dev/null) in
			"$1"/*) kill -9 "${p#/proc/}" 2>/dev/null; break ;;
			esac
		done
	done
}

drop_instance() {
	[ -d "$1" ] || return 0
	echo 0 >"$1/tracing_on" 2>/dev/null
	for e in "$1"/events/rmitrace_*/enable "$1/events/kvm/enable"; do
		[ ! -e "$e" ] || echo 0 >"$e" 2>/dev/null
	done
	rmdir "$1" 2>/dev/null && return 0
	release "$1"
	nap
	rmdir "$1" 2>/dev/null || say "cannot remove $1: it is in use"
}

# Take away the probes of a run by its name.
drop_probes() {
	grep "^[a-z][0-9]*:$1/" "$fs/dynamic_events" 2>/dev/null | while IFS=' ' read -r first _; do
		echo "-:${first#*:}" >>"$fs/dynamic_events" 2>/dev/null
	done
}

# The kernel keeps the last eight refusals of probes in error_log, which can only be emptied as a whole: it is where all of
# them are of recordings; where another's is among them, all stay.
forget_errors() {
	grep -q 'Command: .*rmitrace_' "$fs/error_log" 2>/dev/null || return 0
	grep 'Command:' "$fs/error_log" | grep -qv 'Command: [^ ]*:rmitrace_[0-9]' || : >"$fs/error_log"
}

nap() { sleep 0.1 2>/dev/null || sleep 1; }

# Take away a folder of a run, but never what a tracefs in it shows.
drop_folder() {
	if grep -q " $1/tracefs tracefs " /proc/mounts; then
		umount "$1/tracefs" 2>/dev/null || { say "cannot unmount $1/tracefs"; return; }
	fi
	rm -rf "$1"
}

# What runs that were killed left behind.
clean_stale() {
	for i in "$fs"/instances/rmitrace_*; do
		[ -d "$i" ] || continue
		if ! alive "${i##*/}"; then
			say "taking away what a killed run left: ${i##*/}"
			drop_instance "$i"
		fi
	done
	sed -n 's|^[a-z][0-9]*:\(rmitrace_[0-9A-Za-z_]*\)/.*|\1|p' "$fs/dynamic_events" 2>/dev/null | sort -u | while read -r g; do
		alive "$g" || drop_probes "$g"
	done
	forget_errors
	for d in /run /tmp /var/tmp /dev/shm "${TMPDIR:-/tmp}"; do
		for f in "$d"/rmitrace_*; do
			[ -f "$f/.rmitrace" ] || continue
			alive "${f##*/}" || drop_folder "$f"
		done
	done
}

# End a process and all that it started, but for the watcher.
kill_tree() (
	kill -STOP "$1" 2>/dev/null || exit 0 # so that it starts nothing meanwhile
	for p in /proc/[0-9]*; do
		{ read -r stat <"$p/stat"; } 2>/dev/null || continue
		stat=${stat##*) ? }
		[ "${stat%% *}" != "$1" ] || [ "${p#/proc/}" = "$watching" ] || kill_tree "${p#/proc/}"
	done
	kill -9 "$1" 2>/dev/null
)

# Everything of this run, in the order in which it depends on each other. Run twice does no harm.
cleanup() {
	exec 7>&-
	[ -z "$feeder" ] || kill_tree "$feeder"
	feeder=
	[ -z "$fs" ] || drop_instance "$fs/instances/$id"
	[ -z "$fs" ] || drop_probes "$id"
	[ -z "$fs" ] || forget_errors
	[ -z "$mounted" ] || drop_folder "$mounted"
	[ -z "$tmp" ] || drop_folder "$tmp"
	tmp= fs= mounted=
}

finish() {
	status=$?
	trap - EXIT
	trap '' INT TERM HUP PIPE
	[ -z "$watcher" ] || kill "$watcher" 2>/dev/null
	cleanup
	exit $status
}

# --- the program that sets breakpoints (rmitrace/record/smctap.c, an ELF for aarch64)

unpack_tap() {
	{
@SMCTAP@
	} >"$tmp/smctap" && chmod 700 "$tmp/smctap" && "$tmp/smctap" 2>/dev/null
	[ $? = 2 ] # what it says without arguments; anything else: it cannot be run from here
}

make_folder() {
	for d in /run /tmp /var/tmp /dev/shm "${TMPDIR:-/tmp}"; do
		[ -d "$d" ] && [ -w "$d" ] || continue
		mkdir "$d/$id" 2>/dev/null || continue
		born $me >"$d/$id/.rmitrace"
		tmp=$d/$id
		unpack_tap && tap=$tmp/smctap && return 0
		[ -n "$keep" ] || keep=$tmp
		[ "$keep" = "$tmp" ] || rm -rf "$tmp"
	done
	tmp=$keep
	[ -n "$tmp" ]
}

# --- what can be probed

speaks='(^|[ _])rmi_|rmm|rme_|realm|cca|smccc_trng'	# in the names of functions that may make SMCs by themselves

symbol() { grep -q " $1\$" "$tmp/named"; }

# Whether ftrace may trace a function. The list takes the kernel seconds to write, so it is read only where many are asked for.
traceable() {
	if [ ! -e "$tmp/filter" ]; then
		if [ -e "$fs/available_filter_functions" ]; then
			grep -E "^psci_|$speaks" "$fs/available_filter_functions" >"$tmp/filter"
		else
			awk '{ print $3 }' "$tmp/symbols" >"$tmp/filter" # without the function tracer nothing is hidden from probes
		fi
	fi
	grep -q "^$1\( \|\$\)" "$tmp/filter"
}

note() {
	say "$*"
	printf '%s\n' "$*" >>"$tmp/notes"
}

# Add a probe; its definition without type and group: name, then what dynamic_events takes.
probe() {
	line="$1:$id/$2 $3"
	if [ -n "$dry" ]; then
		printf '  %s:GROUP/%s %s\n' "$1" "$2" "$(echo "$3" | sed 's/\( d0=[^ ]* d64=[^ ]*\).* \(d[0-9]*=\)/\1 ... \2/
			s/\( a0=[^ ]* a1=[^ ]*\) .* \(a[0-9]*=[^ ]*\)$/\1 ... \2/')"
		return 0
	fi
	if (echo "$line" >>"$fs/dynamic_events") 2>/dev/null && echo 1 >"$fs/instances/$id/events/$id/$2/enable"; then
		probes=$((probes + 1))
		return 0
	fi
	forget_errors
	return 1
}

# The same through ftrace, where the kernel has no kprobes, or refuses one there.
fprobe() { [ -z "$dry" ] && grep -q '^[[:space:]]*f\[:' "$fs/README" && probe f "$@"; }

# " a0=+0(%x0):x64 ..." for registers 0..$1 of a block at $2, or, without $2, in registers
regs() {
	n=0
	while [ $n -le "$1" ]; do
		if [ -n "$2" ]; then printf ' a%d=+%d(%s):x64' $n $((8 * n)) "$2"; else printf ' a%d=%%x%d:x64' $n $n; fi
		n=$((n + 1))
	done
}

# The memory at the address $1 as arrays of 64 bytes, the most that an array may have: " d0=+0(%x3):x8[64] d64=..."; 2944 bytes
# in all, about the most that one event may have
memory() {
	n=0
	while [ $n -lt 2944 ]; do
		printf ' d%d=+%d(%s):x8[64]' $n $n "$1"
		n=$((n + 64))
	done
}

# Requests and responses that go through a function with the arguments of pci_doe(mb, vendor, type, req, len, rsp, len), or of
# pci_tsm_doe_transfer(pdev, type, req, len, rsp, len).
doe_probes() { # function, what is added to the names of the events
	n=2
	[ "$1" != pci_tsm_doe_transfer ] || n=1
	t=%x$n:u8 r=%x$((n + 1)) l=%x$((n + 2)):u64
	ta=\$arg$((n + 1)):u8 ra=\$arg$((n + 2)) la=\$arg$((n + 3)):u64 answer=\$arg$((n + 4))
	got=
	if probe p "doe_req$2" "$1 type=$t len=$l$(memory $r)" || fprobe "doe_req$2" "$1 type=$ta len=$la$(memory "$ra")"; then
		got=1
	else
		note "$1: the kernel refuses the probe of requests; the bytes of DOE requests will be missing"
	fi
	if probe r64 "doe_rsp$2" "$1 type=$ta len=\$retval:s32$(memory "$answer")" ||
		fprobe "doe_rsp$2" "$1%return type=$ta len=\$retval:s32$(memory "$answer")"; then
		got=1
	else
		note "$1: the kernel refuses the probe of responses (\$arg in a return probe needs 6.9); the bytes of DOE" \
			"responses will be missing"
	fi
	[ -n "$got" ]
}

# The bytes of SPDM: from what all of it goes through, else from the TSM's function (that calls the former: both would show
# everything twice).
spdm_probes() {
	taken=
	if symbol pci_doe && doe_probes pci_doe ''; then
		taken=pci_doe
	elif symbol pci_tsm_doe_transfer && doe_probes pci_tsm_doe_transfer ''; then
		taken=pci_tsm_doe_transfer
		note "the bytes of SPDM are taken from pci_tsm_doe_transfer: what drivers say to a device without it will be missing"
	elif [ -z "$doe" ]; then
		note "this kernel has no function pci_doe to probe: the bytes of DOE requests and responses will be missing"
	fi
	case $doe,$taken in
	,*) ;;
	pci_doe,pci_doe | pci_tsm_doe_transfer,pci_*) say "$doe: $taken has its bytes already" ;;
	*) if symbol "$doe"; then doe_probes "$doe" _x; else note "this kernel has no function $doe"; fi ;;
	esac
}

# PSCI functions around the SMC: the function id is a constant, the arguments are the function's.
psci_enter() { # name, function, function id, number of arguments
	n=0 more=
	while [ $n -lt "$4" ]; do
		more="$more a$((n + 1))=%x$n:x64"
		n=$((n + 1))
	done
	probe p "smc_enter_$1" "$2 a0=\\$3:x64$more"
}

psci_exit() { # only results that are no error: errors are Linux' numbers there, not PSCI's
	probe r64 "smc_exit_$1" "$2 a0=\$retval:s64" || return 1
	[ -n "$dry" ] || echo 'a0 >= 0' >"$fs/instances/$id/events/$id/smc_exit_$1/filter"
}

sites() { # addresses of the first SMC in each stub, most wanted first
	for s in arm_smccc_1_2_smc __arm_smccc_smc; do
		a=$(sed -n "s/ $s\$//p" "$tmp/named")
		case $a in '' | 0000000000000000) continue ;; esac
		"$tap" find "$a:200" 2>>"$tmp/tap.err" | sed -n "1s/^[^ ]* \([^ ]*\) \([^ ]*\) .*/$s \1 \2/p"
	done
}

# SMCs that a function of a CCA driver (or another one that speaks SMC) makes by itself, not in a stub: such a function can be
# probed, in front of the instruction and behind it. Prints: name, its address, the SMC's, bytes in front of that, registers
# still to be set. An SMC is in the function that begins last before it (addresses are all of one length).
inline_sites() {
	# shellcheck disable=SC2046 # addresses are words
	[ ! -s "$tmp/ranges" ] || "$tap" find $(sed 2000q "$tmp/ranges") 2>/dev/null | sort -u | sed 512q >"$tmp/smcs"
	[ -s "$tmp/smcs" ] || return 0
	# what begins in the pages (16 digits less 3) from where it was looked for to where it was found
	awk -v speaks="$speaks" 'FNR == NR { page[substr($1, 1, 13)]; page[substr($3, 1, 13)]; $1 = $2 = ""; smc[$3] = $0; next }
		substr($1, 1, 13) in page { for (a in smc) if ($1 <= a && $1 >= start[a]) { start[a] = $1; name[a] = $3 } }
		END { for (a in smc) if (name[a] ~ speaks && name[a] !~ /^_*arm_smccc_(1_2_)?smc$/) print name[a], start[a], smc[a] }
	' "$tmp/smcs" "$tmp/symbols" | sort | sed 64q
}

by_inline_sites() {
	[ -n "$tap" ] || return 0
	inline_sites >"$tmp/inline"
	count=0 skipped=0
	while read -r func start at back fixes; do
		off=$((0x${at#????????} - 0x${start#????????}))
		traceable "$func" && [ "$back" != 0 ] || { skipped=$((skipped + 1)); continue; }
		r=0 line=
		while [ $r -lt 8 ]; do
			v=%x$r:x64
			for f in $fixes; do
				case $f in "$r="*) v=${f#*=} ;; esac
			done
			line="$line a$r=$v" r=$((r + 1))
		done
		if probe p "smc_enter_i$count" "$func+$((off - 0x$back))$line"; then
			probe p "smc_exit_i$count" "$func+$((off + 4))$(regs 7)" || skipped=$((skipped + 1))
			count=$((count + 1))
		else
			skipped=$((skipped + 1))
		fi
	done <"$tmp/inline"
	[ $skipped = 0 ] || note "$skipped SMC instructions of functions of a CCA driver cannot be probed; their SMCs will be missing"
}

by_breakpoints() {
	[ -n "$breakpoints" ] || return 1
	if [ -z "$tap" ]; then
		note "no folder that programs can be run from (noexec): no hardware breakpoints"
		return 1
	fi
	if grep -q '^0000000000000000 .*smccc' "$tmp/named"; then
		note "addresses of the kernel are hidden (kernel.kptr_restrict=$(cat /proc/sys/kernel/kptr_restrict)): no hardware" \
			"breakpoints; sysctl kernel.kptr_restrict=1 would show them to root"
		return 1
	fi
	sites >"$tmp/sites"
	if [ ! -s "$tmp/sites" ]; then
		note "no SMC instruction found ($(tr '\n' ' ' <"$tmp/tap.err")): no hardware breakpoints"
		return 1
	fi
	if [ -n "$dry" ]; then
		while read -r s off a; do
			printf '  hardware breakpoints in front of the SMC at %s+0x%s (0x%s), with x0..x15, and behind it, with x0..x17\n' "$s" "$off" "$a"
		done <"$tmp/sites"
		return 0
	fi
	mkfifo "$tmp/ctl" || return 1
	n=$(wc -l <"$tmp/sites")
	while [ "$n" -gt 0 ]; do
		# shellcheck disable=SC2046 # addresses are words
		"$tap" watch "$tmp" $page $enter_id $exit_id $(sed "$n"q "$tmp/sites" | awk '{ print $3 }') \
			<"$tmp/ctl" >"$tmp/tap.out" 2>"$tmp/tap.err" &
		tapping=$!
		exec 7>"$tmp/ctl"
		while kill -0 $tapping 2>/dev/null && [ ! -s "$tmp/tap.out" ]; do nap; done
		if [ -s "$tmp/tap.out" ]; then
			if [ "$n" -lt "$(wc -l <"$tmp/sites")" ]; then
				note "too few breakpoint registers: SMCs of $(sed "1,${n}d" "$tmp/sites" | awk '{ print $1 }') will be missing"
			fi
			if grep -q 'at the SMC itself' "$tmp/tap.err"; then
				note "the breakpoints are at SMC instructions, as this kernel's stubs are unknown: steps over them may end an RMM" \
					"that has applications at EL0 (TF-RMM with attestation or devices)"
			fi
			return 0
		fi
		exec 7>&-
		wait $tapping
		code=$?
		tapping=
		if [ $code != 4 ]; then
			break
		fi
		n=$((n - 1))
	done
	note "hardware breakpoints are refused ($(sed -n 1p "$tmp/tap.err"); 28: all are in use, 1 or 13: forbidden, 95 or 19:" \
		"not there)"
	return 1
}

# Whether the kernel's configuration says that an option is off; nothing is known where it is not to be read.
is_off() {
	{ zcat /proc/config.gz || cat "/boot/config-$(uname -r)"; } 2>/dev/null | grep -q "^# CONFIG_$1 is not set"
}

by_stubs() {
	got=
	if symbol arm_smccc_1_2_smc && probe p smc12_enter "arm_smccc_1_2_smc$(regs 17 %x0)"; then
		probe r128 smc12_exit "arm_smccc_1_2_smc$(regs 17 "\$arg2")" ||
			note "no return probe on arm_smccc_1_2_smc (\$arg needs 6.9): the results of its SMCs will be missing"
		got=1
	fi
	if symbol __arm_smccc_smc && probe p smc_enter "__arm_smccc_smc$(regs 7)"; then
		probe r128 smc_exit "__arm_smccc_smc$(regs 3)" ||
			note "no return probe on __arm_smccc_smc: the results of its SMCs will be missing"
		got=1
	fi
	[ -n "$got" ]
}

by_callers() {
	got=
	while read -r name func fid args; do
		traceable "$func" && psci_enter "$name" "$func" "$fid" "$args" && psci_exit "$name" "$func" && got=1
	done <<'EOF'
version psci_0_2_get_version 0x84000000 0
cpu_on psci_0_2_cpu_on 0xc4000003 3
affinity psci_affinity_info 0xc4000004 2
migrate psci_0_2_migrate 0xc4000005 1
EOF
	for func in @RMI_FUNCTIONS@; do
		traceable $func || continue
		probe p "$func" "$func \$arg*" || probe p "$func" "$func a0=%x0:x64 a1=%x1:x64 a2=%x2:x64 a3=%x3:x64" ||
			fprobe "$func" "$func \$arg*" || continue
		probe r128 "${func}_ret" "$func ret=\$retval:x64" || fprobe "${func}_ret" "$func%return ret=\$retval:x64"
		got=1
	done
	[ -n "$got" ]
}

refused="the kernel refuses probes on its SMC stubs (they are notrace; CONFIG_KPROBE_EVENTS_ON_NOTRACE is off)"

choose() {
	method=
	[ -z "$dry" ] || echo "the SMCs, by the first of these that the kernel allows:"
	if by_breakpoints; then
		method=breakpoints
		[ -n "$dry" ] || return 0
		echo "or"
	fi
	if is_off KPROBE_EVENTS_ON_NOTRACE; then
		[ -n "$method" ] || note "$refused" # not tried: each refusal leaves lines in the kernel's log
	elif by_stubs; then
		[ -n "$method" ] || method=stubs
		[ -n "$dry" ] || return 0
		echo "or"
	else
		note "$refused"
	fi
	if by_callers; then
		[ -n "$method" ] || method=callers
		[ "$method" != callers ] || note "only functions around SMCs are recorded: other SMCs, registers beyond the" \
			"arguments and error codes will be missing"
	fi
	[ -n "$method" ]
}

# --- writing trace.dat version 6 (trace-cmd.dat.v6(5)): numbers are little-endian

le() { # bytes, value
	le_n=$1 le_v=$2
	while [ "$le_n" -gt 0 ]; do
		printf "\\$((le_v >> 6 & 3))$((le_v >> 3 & 7))$((le_v & 7))"
		le_v=$((le_v >> 8)) le_n=$((le_n - 1))
	done
}

size_of() { wc -c <"$1" | tr -d ' '; }

text() { # bytes of the length, file
	le "$1" "$(size_of "$2")"
	cat "$2"
}

option() { # id, file
	le 2 "$1"
	text 4 "$2"
}

system() { # name, files with formats
	printf '%s\0' "$1"
	shift
	le 4 $#
	for f; do
		cat "$f" >"$tmp/text"
		text 8 "$tmp/text"
	done
}

format_of() { # enter or exit, id: what tracefs would have as the format of the event; x16 and x17 are not loaded yet at an entry
	printf 'name: smc_%s\nID: %d\nformat:\n' "$1" "$2"
	printf '\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n'
	printf '\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n'
	printf '\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n'
	printf '\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n'
	printf '\tfield:unsigned long __probe_ip;\toffset:8;\tsize:8;\tsigned:0;\n'
	n=0 shown= args=
	while [ $n -le 18 ]; do
		f=a$n
		case $1,$n in
		enter,16) n=18; continue ;;
		*,18) f=lr ;;
		esac
		printf '\tfield:u64 %s;\toffset:%d;\tsize:8;\tsigned:0;\n' $f $((16 + 8 * n))
		shown="$shown $f=0x%Lx" args="$args, REC->$f"
		n=$((n + 1))
	done
	printf '\nprint fmt: "(%%lx)%s", REC->__probe_ip%s\n' "$shown" "$args"
}

cut_page() { # fill standard output up to a page after so many bytes
	rest=$(($1 % page))
	[ $rest = 0 ] || dd if=/dev/zero bs=$((page - rest)) count=1 2>/dev/null
}

up() { echo $((($1 + page - 1) / page * page)); }

# Take the pages of a CPU out of the instance. Reading one too many would wait for ever: a page holds less than its size, so
# there are at least so many as the bytes that the kernel counts would fill.
take_pages() {
	while :; do
		e=$(sed -n 's/^entries: //p' "$1/stats") b=$(sed -n 's/^bytes: //p' "$1/stats")
		[ "${e:-0}" != 0 ] || break
		b=$((${b:-0} / page))
		[ $b -gt 0 ] || b=1
		dd if="$1/trace_pipe_raw" bs=$page count=$b 2>/dev/null 7>&- >>"$2" &
		reader=$!
		tries=0
		while kill -0 $reader 2>/dev/null; do
			nap
			tries=$((tries + 1))
			[ $tries -lt 600 ] || { note "${1##*/}: its buffer cannot be read to its end"; break; }
		done
		kill -9 $reader 2>/dev/null
		wait $reader 2>/dev/null
		[ $tries -lt 600 ] || break
	done
}

collect() {
	i=$fs/instances/$id
	cpus=0
	for c in "$i"/per_cpu/cpu*; do
		n=${c##*/cpu}
		[ "$n" -lt $cpus ] || cpus=$((n + 1))
	done
	entries=0 overrun=0
	n=0
	while [ $n -lt $cpus ]; do
		{
			printf 'CPU: %d\n' $n
			cat "$i/per_cpu/cpu$n/stats" 2>/dev/null
			printf '\0'
		} >"$tmp/stat$n"
		e=$(sed -n 's/^entries: //p' "$tmp/stat$n") o=$(sed -n 's/^overrun: //p' "$tmp/stat$n")
		entries=$((entries + ${e:-0})) overrun=$((overrun + ${o:-0}))
		[ -f "$tmp/cpu$n" ] || : >"$tmp/cpu$n"
		: >"$tmp/trace$n"
		[ "${e:-0}" = 0 ] || take_pages "$i/per_cpu/cpu$n" "$tmp/trace$n"
		n=$((n + 1))
	done
	[ $overrun = 0 ] || note "the trace buffer was too small: the oldest $overrun events are lost (--buffer-size)"
}

# The places of the CPUs' pages, in front of them: offset and size of each. $1: name of the files, $2: where they begin
table() {
	at=$2 n=0
	while [ $n -lt $cpus ]; do
		s=$(size_of "$tmp/$1$n")
		le 8 "$at"
		le 8 "$s"
		at=$((at + $(up "$s"))) n=$((n + 1))
	done
}

pages() {
	n=0
	while [ $n -lt $cpus ]; do
		cat "$tmp/$1$n"
		cut_page "$(size_of "$tmp/$1$n")"
		n=$((n + 1))
	done
}

write() { # to standard output
	first=cpu second=trace
	[ "$method" = breakpoints ] || first=trace second=
	{
		printf '\27\10\104tracing6\0'
		le 1 0
		le 1 8
		le 4 $page
		cat "$fs/events/header_page" >"$tmp/text"
		printf 'header_page\0'
		text 8 "$tmp/text"
		cat "$fs/events/header_event" >"$tmp/text"
		printf 'header_event\0'
		text 8 "$tmp/text"
		le 4 1
		cat "$fs/events/ftrace/print/format" >"$tmp/text"
		text 8 "$tmp/text"
		format_of enter $enter_id >"$tmp/enter"
		format_of exit $exit_id >"$tmp/exit"
		set --
		[ ! -d "$fs/events/$id" ] || set -- "$fs/events/$id"/*/format
		[ "$method" != breakpoints ] || set -- "$tmp/enter" "$tmp/exit" "$@"
		if [ -n "$kvm" ]; then le 4 2; else le 4 1; fi
		system rmitrace "$@"
		if [ -n "$kvm" ]; then
			set --
			for k in $kvm_events; do set -- "$@" "$fs/events/kvm/$k/format"; done
			system kvm "$@"
		fi
		text 4 "$tmp/symbols"
		le 4 0
		{
			[ ! -f "$tmp/cmdlines" ] || cat "$tmp/cmdlines"
			cat "$fs/saved_cmdlines"
		} | awk '!seen[$1]++' >"$tmp/text"
		text 8 "$tmp/text"
		le 4 $cpus
		printf 'options  \0'
		n=0
		while [ $n -lt $cpus ]; do
			[ "$method" = breakpoints ] || option 2 "$tmp/stat$n"
			n=$((n + 1))
		done
		printf 'local [%s]\0' "$clock" >"$tmp/text"
		option 4 "$tmp/text"
		printf '%s\0' "$(uname -srvm)" >"$tmp/text"
		option 5 "$tmp/text"
		printf 'rmitrace record @VERSION@\0' >"$tmp/text"
		option 9 "$tmp/text"
	} >"$tmp/head"
	head=$(size_of "$tmp/head")
	tail=$((2 + 10 + 16 * cpus))
	[ -z "$second" ] || tail=$((tail + 2 + 4 + 8 + 9))
	start=$(up $((head + tail)))
	end=$start n=0
	while [ $n -lt $cpus ]; do
		end=$((end + $(up "$(size_of "$tmp/$first$n")"))) n=$((n + 1))
	done
	cat "$tmp/head"
	if [ -n "$second" ]; then
		le 2 3
		le 4 17
		le 8 $end
		printf 'rmitrace\0'
	fi
	le 2 0
	printf 'flyrecord\0'
	table $first $start
	cut_page $((head + tail))
	pages $first
	if [ -n "$second" ]; then
		printf 'flyrecord\0'
		table $second "$(up $((end + 10 + 16 * cpus)))"
		cut_page $((10 + 16 * cpus))
		pages $second
		end=$(up $((end + 10 + 16 * cpus))) n=0
		while [ $n -lt $cpus ]; do
			end=$((end + $(up "$(size_of "$tmp/$second$n")"))) n=$((n + 1))
		done
	fi
}

# --- the run

find_tracefs || {
	for d in /run /tmp; do
		[ -d "$d" ] && [ -w "$d" ] && break
	done
	mounted=$d/${id}_fs
	mkdir "$mounted" "$mounted/tracefs" && born $me >"$mounted/.rmitrace" &&
		mount -t tracefs tracefs "$mounted/tracefs" 2>/dev/null && fs=$mounted/tracefs
	[ -n "$fs" ] || { rm -rf "$mounted"; die "no tracefs here: the kernel has no tracing (CONFIG_FTRACE), or forbids it"; }
}
trap finish EXIT
trap : PIPE
clean_stale
[ -z "$clean" ] || exit 0
[ -d "$fs/instances" ] && [ -e "$fs/dynamic_events" ] || die "$fs has no instances or no dynamic events: the kernel is too old"
keep=
make_folder || die "no folder to work in: /run, /tmp, /var/tmp and /dev/shm cannot be written"

# The symbols: code; names that matter; functions that may make SMCs. On a big kernel grep is many times quicker here than awk.
grep ' [tTwW] ' /proc/kallsyms >"$tmp/symbols"
grep -E " (arm_smccc_1_2_smc|__arm_smccc_smc|psci_0_2_cpu_off|pci_doe|pci_tsm_doe_transfer|${doe:-pci_doe})([[:space:]]|\$)" "$tmp/symbols" |
	awk '{ print $1, $3 }' >"$tmp/named"
grep -E "$speaks" "$tmp/symbols" | awk -v speaks="$speaks" '$3 ~ speaks && $1 !~ /^0+$/ { print $1 ":800" }' >"$tmp/ranges"
enter_id=65001 exit_id=65002
page=$(sed -n 's/.*field: char data;[^0-9]*\([0-9]*\);[^0-9]*size:\([0-9]*\);.*/\1 \2/p' "$fs/events/header_page" | {
	read -r a b
	echo $((a + b))
})

case " $(sed 's/[][]//g' "$fs/trace_clock") " in
*" $clock "*) ;;
*) die "this kernel has no trace clock $clock; there are: $(cat "$fs/trace_clock")" ;;
esac
if [ -z "$size" ]; then
	size=4096
	free=$(awk '$1 == "MemAvailable:" { print int($2 / 1024) }' /proc/meminfo)
	ncpu=$(grep -c '^processor' /proc/cpuinfo)
	while [ "$size" -gt 256 ] && [ $((size / 1024 * ncpu * 8)) -gt "${free:-1024}" ]; do size=$((size / 2)); done
fi

extras() {
	by_inline_sites
	if [ -z "$dry" ] && [ "$method" = stubs ]; then :; elif symbol psci_0_2_cpu_off && psci_enter cpu_off psci_0_2_cpu_off 0x84000002 1; then :; else
		note "no probe on psci_0_2_cpu_off: CPU_OFF will be missing (a CPU loses its breakpoints before it goes)"
	fi
	[ -z "$buffers" ] || spdm_probes
	kvm_events=
	[ -n "$kvm" ] || return 0
	for k in kvm_entry kvm_exit kvm_userspace_exit kvm_hvc_arm64 kvm_guest_fault; do
		[ -d "$fs/events/kvm/$k" ] || continue
		kvm_events="$kvm_events $k"
		if [ -n "$dry" ]; then echo "  event kvm/$k"; else echo 1 >"$fs/instances/$id/events/kvm/$k/enable"; fi
	done
	[ -n "$kvm_events" ] || { note "no events of KVM: it is not in this kernel"; kvm=; }
}

if [ -n "$dry" ]; then
	echo "in a tracing instance of its own, $fs/instances/$id (clock $clock, $size KiB a CPU):"
	choose
	echo "and beside the first:"
	extras
	echo "then one trace.dat (version 6) with event formats, names of tasks, symbols and kernel version, and all of it removed"
	exit 0
fi

mkdir "$fs/instances/$id" || die "cannot make a tracing instance"
i=$fs/instances/$id
echo 0 >"$i/tracing_on"
echo "$clock" >"$i/trace_clock" || die "the clock $clock is refused"
echo "$size" >"$i/buffer_size_kb" 2>/dev/null || { size=512; echo $size >"$i/buffer_size_kb"; }

seconds() { read -r up _ </proc/uptime && echo "${up%%.*}"; }

# Who calls over a connection says "on" or "stop" on standard input; the end of that ends the recording too.
if [ -n "$fed" ]; then
	seconds >"$tmp/fed"
	exec 6<&0 </dev/null
	(
		trap '' INT HUP
		exec >/dev/null
		while :; do
			heard=$(dd bs=64 count=1 <&6 2>/dev/null)
			seconds >"$tmp/fed" 2>/dev/null || break
			case $heard in '' | *stop*) kill -INT $me 2>/dev/null ;; esac
			[ -n "$heard" ] || break
		done
	) &
	feeder=$!
	exec 6<&-
fi

is_fed() {
	[ -n "$feeder" ] && kill -0 $feeder 2>/dev/null || return 0
	read -r last <"$tmp/fed"
	[ $(($(seconds) - ${last:-$(seconds)})) -le "$fed" ]
}

# A watcher outlives this shell when that is killed, and cleans up.
(
	watching=$(exec sh -c 'echo $PPID')
	trap '' INT HUP
	trap 'exit 0' TERM
	exec 7>&- >/dev/null
	cd /
	while kill -0 $me 2>/dev/null; do
		nap; nap; nap; nap; nap
		is_fed || { say "nothing was heard for $fed s: the connection is dead"; kill_tree $me; break; }
	done
	trap '' TERM
	say "the recording was killed; cleaning up" 2>/dev/null
	me=0
	cleanup
) &
watcher=$!
stop=
trap 'stop=1' INT TERM HUP

choose || die "nothing to record SMCs with: see above"
extras
echo 1 >"$i/tracing_on"
[ -n "$out" ] || out=rmitrace-$(uname -n | tr -cd A-Za-z0-9._-)-$(date +%Y%m%d-%H%M%S).dat
say "recording ($method, $probes probes)$([ $# -gt 0 ] || [ -n "$secs" ] || printf '; Ctrl-C ends it')"
parent=$PPID
if [ $# -gt 0 ] && [ "$out" != - ]; then
	"$@" 7>&-
	said=$?
	[ $said = 0 ] || say "the command ended with status $said"
else
	if [ $# -gt 0 ]; then "$@" 7>&- >&2 & else sleep "${secs:-2147483}" 7>&- & fi
	sleeper=$!
	while [ -z "$stop" ] && kill -0 $sleeper 2>/dev/null; do
		[ -d "/proc/$parent" ] || { say "whoever started this is gone"; break; }
		nap
	done
	kill $sleeper 2>/dev/null
	wait $sleeper 2>/dev/null
fi
trap '' INT TERM HUP
echo 0 >"$i/tracing_on"
if [ -n "$tapping" ]; then
	exec 7>&-
	wait $tapping
	lost=$(sed -n 's/^lost //p' "$tmp/tap.out")
	[ "${lost:-0}" = 0 ] || note "$lost breakpoint hits are lost: SMCs came quicker than they could be taken"
fi
collect
if [ "$out" = - ]; then write; else
	write >"$out" || die "$out cannot be written"
	[ "$(size_of "$out")" = $end ] || die "$out is not whole: $(df -k "$out" | tail -n 1 | awk '{ print $4 }') KiB are left there"
fi
smcs=$(sed -n 's/^samples //p' "$tmp/tap.out" 2>/dev/null)
[ $((${smcs:-0} + entries)) != 0 ] ||
	say "nothing made an SMC meanwhile; to try it, record this:" \
		"sh -c 'cd /sys/devices/system/cpu/cpu1; echo 0 >online; echo 1 >online'"
say "$out: ${smcs:+$smcs breakpoint hits, }$entries trace events$([ "$out" = - ] || printf '; open it with: rmitrace view %s' "$out")"
exit 0
}
