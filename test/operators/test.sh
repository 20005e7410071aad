#!/bin/sh
# npm run test:package: what `npm run package` makes, installed on Debian 12 and 13. Needs root and the machine's mirror of Debian;
# the bare Debians are kept in /var/cache/crio-lxc-debian. Some minutes.
#
# The last line is "N passed, N failed in N s"; the exit status is 0 when nothing failed.
set -eu
cd "$(dirname "$0")/../.."
. test/run/prepare.sh
started=$(date +%s)
results=$(mktemp -d)
trap 'rm -rf "$results" "$step_log"' EXIT

prepare() {
	[ "$(id -u)" = 0 ] || fail 'run this as root: it installs packages and makes containers'
	install_packages apparmor secilc busybox-static debootstrap gcc groff-base libc6-dev libseccomp-dev lintian lxc-dev musl-tools xz-utils \
		gcc-aarch64-linux-gnu libc6-dev-arm64-cross
	install_npm_packages
	step 'npm run build' npm run build
	for release in bookworm trixie; do
		step "a bare Debian, $release" sh test/fresh/bare-debian.sh $release /var/cache/crio-lxc-debian/$release.tar
	done
}

printf '\nPreparing\n\n'
if (prepare); then
	status=0
	node_modules/.bin/vitest run --config test/operators/vitest.config.ts --reporter=default --reporter=json \
		--outputFile.json="$results/package.json" "$@" </dev/null || status=$?
else status=1; fi
echo "$status" >"$results/package.status"

summary=0
node --import ./scripts/typescript.js test/run/summary.ts "$results" >"$results/summary" || summary=$?
printf '\n'
sed "\$s/\$/ in $(($(date +%s) - started)) s/" "$results/summary"
exit "$summary"
