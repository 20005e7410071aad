#!/bin/sh
# npm run test:vm [-- FILTER...]: the integration tests, or those whose paths contain a FILTER, in a machine that has only
# cgroup v2. Takes a quarter of an hour, because the machine's processor is emulated. TEST_RESULTS names a directory that
# keeps the report; the last line is "N passed, N failed, N skipped".
set -eu
cd "$(dirname "$0")/../.."
. test/run/prepare.sh

results=${TEST_RESULTS:-$(mktemp -d)}
mkdir -p "$results"
[ -n "${TEST_RESULTS-}" ] || trap 'rm -rf "$results" "$step_log"' EXIT
[ $# -gt 0 ] || set -- integration/

[ "$(uname -m)" = x86_64 ] || fail 'run this on x86-64: the machine is one'
[ "$(id -u)" = 0 ] || fail 'run this as root: the machine has the files of this host'
install_packages qemu-system-x86 linux-image-cloud-amd64 kmod busybox-static gcc libc6-dev liblxc1 lxc-dev runc \
	podman conmon netavark catatonit uidmap iproute2 procps
install_npm_packages
step 'npm run build' npm run build

# Everything takes 6 to 30 times as long as outside.
status=0
sh test/vm/vm.sh -t 2400 -w "$results" -- env "PATH=$PATH" vitest run --config test/vitest.config.ts \
	--project integration --testTimeout 300000 --hookTimeout 300000 \
	--reporter=default --reporter="$PWD/test/support/skip-reporter.ts" \
	--reporter=json --outputFile.json=/vm/vm.json "$@" || status=$?
echo "$status" >"$results/vm.status"
node test/run/summary.ts "$results"
