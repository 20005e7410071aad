#!/bin/sh
# npm test: everything that shows that crio-lxc works, on a Debian 12 or 13 with Node 20 or newer, npm, gcc and root.
#
# The last line is "N passed, N failed" or "N passed, N failed, N skipped", added up over all runs; the exit status is
# 0 when nothing failed. TEST_RESULTS names a directory that keeps the reports of the runs.
#
# The tests of real containers are two projects of vitest: files of `integration` run at the same time, and those of
# `integration-alone` one after another, with nothing of the others.
set -eu
cd "$(dirname "$0")/../.."
. test/run/prepare.sh
. test/vm/run-in-vm.sh

results=${TEST_RESULTS:-$(mktemp -d)}
mkdir -p "$results"
machines=''
finish() {
	[ -z "$machines" ] || kill -- "-$machines" 2>/dev/null || :
	rm -f "$step_log"
	[ -n "${TEST_RESULTS-}" ] || rm -rf "$results"
}
trap finish EXIT

# run NAME [WRAPPER...] -- VITEST-ARGUMENT...: one run of vitest, whose report is NAME.json and exit status NAME.status.
run() {
	name=$1
	shift
	wrapper=''
	while [ "$1" != -- ]; do
		wrapper="$wrapper $1"
		shift
	done
	shift
	sh scripts/announce.sh "$name"
	status=0
	# shellcheck disable=SC2086 # a list of words
	timeout --kill-after=30 2400 $wrapper node_modules/.bin/vitest run --config test/vitest.config.ts \
		--reporter=default --reporter="$PWD/test/support/skip-reporter.ts" --reporter="$PWD/test/support/retry-reporter.ts" \
		--reporter=json --outputFile.json="$results/$name.json" "$@" </dev/null || status=$?
	echo "$status" >"$results/$name.status"
}

# skip NAME NEED REASON: a run that this machine cannot make counts as one test that is skipped.
skip() {
	printf '\n%s\nskipped, needs %s: %s\n' "$1" "$2" "$3"
	grep -q "\"$2\":" test/allowed-skips.json || fail "$2 is not in test/allowed-skips.json"
	echo '{"testResults":[{"status":"passed","assertionResults":[{"status":"skipped"}]}]}' >"$results/$1.json"
	echo 0 >"$results/$1.status"
}

# The files that run in a shared mount tree, by parts of their paths.
asks_for_mounts='callers/podman/ callers/containerd/ callers/conmon/create security/attacks security/entering
	security/host-devices integration/creation/create integration/foreground/run.test integration/removal/delete
	integration/entering/exec.test integration/entering/exec-process.test integration/entering/exec-terminal.test
	integration/caller/notify-socket integration/starting/refused-execution
	integration/fields/cgroups integration/fields/devices integration/fields/hooks integration/fields/host-
	integration/fields/idmapped integration/fields/kernel integration/fields/mount integration/fields/namespaces
	integration/fields/nobodys integration/fields/paths integration/fields/rootfs integration/fields/terminal
	integration/fields/termination integration/fields/tmpfs
	integration/fields/user-namespace'

has_vm() { [ "$(uname -m)" = x86_64 ]; }

prepare() {
	[ "$(id -u)" = 0 ] || fail 'run this as root: the tests make containers'
	require_open_checkout
	# shellcheck disable=SC2086,SC2046 # lists of words
	install_packages $(has_vm && echo "$vm_packages") $build_packages e2fsprogs git runc crun \
		podman conmon containerd netavark catatonit uidmap \
		iptables iproute2 procps strace zsh fish qemu-user-static gcc-aarch64-linux-gnu libc6-dev-arm64-cross
	install_npm_packages
	step 'npm run build' npm run build
}

sh scripts/announce.sh 'npm test'
printf '\nPreparing\n\n'
if ! (prepare); then
	printf '\n0 passed, 1 failed\n'
	exit 1
fi
# No report and status 1: the summary counts it as one failure, and the tests run all the same.
(step 'npm run lint' npm run lint) || echo 1 >"$results/lint.status"

run unit -- --project unit
run fuzz -- --project fuzz
run integration -- --project integration
# Where every mount is shared, what depends on that: the tests of what the runtime mounts or leaves mounted, of the
# namespaces that it makes or joins, of hooks, which mount as well, and of the callers, which bring mounts of their own.
# Limits, signals, options, messages and hostile documents are the same there.
# shellcheck disable=SC2086 # a list of words
run integration-in-a-shared-mount-tree unshare -m sh test/run/share-mounts.sh -- --project integration $asks_for_mounts
# A test that runc fails as well is a wrong test: what every runtime must do is shown to hold for it. The other files are
# about crio-lxc alone, as their names say.
run integration-of-runc env RUNTIME=runc -- --project integration integration/ security/ --exclude '**/*.own.test.ts'

# Beside the tests that are alone, which wait most of the time: the machines have nothing of the host's but its processors.
if has_vm; then
	# Failures unless they come to an end.
	for name in vm vm-selinux; do echo 1 >"$results/$name.status"; done
	results=$results setsid sh test/vm/short-passes.sh </dev/null >"$results/machines.log" 2>&1 &
	machines=$!
fi
run alone -- --project integration-alone
run alone-in-a-shared-mount-tree unshare -m sh test/run/share-mounts.sh -- --project integration-alone leak/
run alone-of-runc env RUNTIME=runc -- --project integration-alone --exclude '**/*.own.test.ts'
if has_vm; then
	wait "$machines" || :
	machines=''
	cat "$results/machines.log"
else skip vm x86-64 "the machine's processor is $(uname -m)"; fi

printf '\n'
exec_status=0
node --import ./scripts/typescript.js test/run/summary.ts "$results" || exec_status=$?
exit "$exec_status"
