#!/bin/sh
# npm run test:package: what `npm run package` makes, installed on Debian 12 and 13. Needs root and the machine's mirror of Debian;
# the bare Debians are kept in /var/cache/crio-lxc-debian. Some minutes.
#
# The last line is "N passed, N failed in N s"; the exit status is 0 when nothing failed.
set -eu
cd "$(dirname "$0")/../.."
. test/run/prepare.sh
. test/run/single-pass.sh

prepare() {
	[ "$(id -u)" = 0 ] || fail 'run this as root: it installs packages and makes containers'
	# shellcheck disable=SC2086 # a list of words
	install_packages $build_packages apparmor secilc debootstrap groff-base lintian gcc-aarch64-linux-gnu libc6-dev-arm64-cross
	install_npm_packages
	step 'npm run build' npm run build
	for release in bookworm trixie; do
		step "a bare Debian, $release" sh test/fresh/bare-debian.sh $release /var/cache/crio-lxc-debian/$release.tar
	done
}

sh scripts/announce.sh test:package
single_pass test/operators/vitest.config.ts "$@"
