#!/bin/sh
# npm run test:vm [-- [--short | --systemd | --legacy | --debian13 | --selinux] FILTER...]: the integration tests, or those
# whose paths contain a FILTER, in a virtual machine of this host's files. All of them take half an hour: its processor is
# emulated.
#
#   without an option  a host with cgroup v2 alone and nothing but the tests
#   --systemd          the same, managed by systemd and with AppArmor; by default only what these two can show
#   --legacy           managed by systemd, with its v1 hierarchies
#   --debian13         the files and the kernel of Debian 13, managed by its systemd, and what npm test runs in its machine on
#                      a host with Debian 13; they are made once, in minutes, and kept in CACHE (default
#                      /var/cache/crio-lxc-debian-13)
#   --selinux          with SELinux, and by default the tests that need it
#   --short            what npm test runs of it, see run-in-vm.sh
#
# RUNTIME=runc proves the tests. TEST_RESULTS names a directory that keeps the report; the last line is
# "N passed, N failed, N skipped".
set -eu
cd "$(dirname "$0")/../.."
. test/run/prepare.sh
. test/vm/run-in-vm.sh
. test/vm/debian-13.sh

results=${TEST_RESULTS:-$(mktemp -d)}
mkdir -p "$results"
[ -n "${TEST_RESULTS-}" ] || trap 'rm -rf "$results" "$step_log"' EXIT

[ "$(uname -m)" = x86_64 ] || fail 'run this on x86-64: the machine is one'
[ "$(id -u)" = 0 ] || fail 'run this as root: the machine has the files of this host'
require_open_checkout

name=${1-}
case $name in
--short) machine="$short_pass_machine" default=$short_pass ;;
--systemd) machine='-s -a' default='systemd apparmor' ;;
--legacy) machine='-s -l' default='systemd' ;;
--debian13)
	cache=${CACHE:-/var/cache/crio-lxc-debian-13}
	machine="-s -a -r $cache/root" default="$short_pass systemd apparmor"
	;;
--selinux) machine=-e default='selinux' ;;
# Every system call under every profile would take half an hour, and is the same on any cgroup.
*) name=--plain machine='' default='integration/ callers/podman/resources callers/containerd --exclude **/seccomp-profiles.test.ts' ;;
esac
[ "$name" != "${1-}" ] || shift
case $name$* in
--plain) sh scripts/announce.sh test:vm ;;
--short) sh scripts/announce.sh vm ;;
esac
# shellcheck disable=SC2086 # a list of words
[ $# -gt 0 ] || set -- $default

# shellcheck disable=SC2086 # a list of words
install_packages $build_packages $vm_packages runc podman conmon containerd netavark catatonit uidmap iproute2 procps
[ "$name" != --debian13 ] || {
	install_packages debootstrap xz-utils
	step "a bare Debian 13 in $cache" make_debian_13 "$cache"
}
install_npm_packages
step 'npm run build' npm run build

run_in_vm "vm${name#-}" "$machine -t 3600" "$@"
printf '\n'
node --import ./scripts/typescript.js test/run/summary.ts "$results"
