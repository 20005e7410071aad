#!/bin/sh
# npm run test:hosts [-- FILTER...]: crio-lxc with the libraries and callers of other hosts, in machines of Debian 12, 13 and
# unstable that run on this one's kernel. Needs root and the machine's mirror of Debian; the bare Debians are kept in
# /var/cache/crio-lxc-debian.
#
# The last line is "N passed, N failed in N s"; the exit status is 0 when nothing failed.
set -eu
cd "$(dirname "$0")/../.."
. test/run/prepare.sh
. test/run/single-pass.sh

prepare() {
	[ "$(id -u)" = 0 ] || fail 'run this as root: it installs packages and makes containers'
	require_open_checkout
	# shellcheck disable=SC2086 # a list of words
	install_packages $build_packages debootstrap
	install_npm_packages
	step 'npm run build' npm run build
}

sh scripts/announce.sh test:hosts
single_pass test/hosts/vitest.config.ts "$@"
