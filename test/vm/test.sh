#!/bin/sh
# npm run test:vm [-- [--systemd | --legacy | --selinux] FILTER...]: the integration tests, or those whose paths contain a
# FILTER, in a machine that has only cgroup v2; with --systemd one that systemd manages, and by default only what that
# can show; --legacy is the same with systemd's v1 hierarchies; --selinux has SELinux, and runs the tests that need it.
# All of the tests take a quarter of an hour, because the machine's processor is emulated. RUNTIME=runc proves them.
# TEST_RESULTS names a directory that keeps the report; the last line is "N passed, N failed, N skipped".
set -eu
cd "$(dirname "$0")/../.."
. test/run/prepare.sh

results=${TEST_RESULTS:-$(mktemp -d)}
mkdir -p "$results"
[ -n "${TEST_RESULTS-}" ] || trap 'rm -rf "$results" "$step_log"' EXIT
machine='' default=''
case ${1-} in
--systemd) machine=-s default=systemd ;;
--legacy) machine='-s -l' default=systemd ;;
--selinux) machine=-e default=selinux ;;
esac
[ -z "$machine" ] || shift
[ $# -gt 0 ] || set -- "${default:-integration/}"

[ "$(uname -m)" = x86_64 ] || fail 'run this on x86-64: the machine is one'
[ "$(id -u)" = 0 ] || fail 'run this as root: the machine has the files of this host'
install_packages qemu-system-x86 linux-image-cloud-amd64 kmod busybox-static gcc libc6-dev liblxc1 lxc-dev runc \
	podman conmon netavark catatonit uidmap iproute2 procps systemd dbus secilc
install_npm_packages
step 'npm run build' npm run build

# Everything takes 6 to 30 times as long as outside.
status=0
# shellcheck disable=SC2086 # a list of words
sh test/vm/vm.sh $machine -t 2400 -w "$results" -- env "PATH=$PATH" ${RUNTIME:+"RUNTIME=$RUNTIME"} vitest run --config test/vitest.config.ts \
	--project integration --testTimeout 300000 --hookTimeout 300000 \
	--reporter=default --reporter="$PWD/test/support/skip-reporter.ts" \
	--reporter=json --outputFile.json=/vm/vm.json "$@" || status=$?
echo "$status" >"$results/vm.status"
node test/run/summary.ts "$results"
