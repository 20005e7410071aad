#!/bin/sh
# npm run test:hosts [-- FILTER...]: crio-lxc with the libraries and callers of other hosts, in machines of Debian 12, 13 and
# unstable that run on this one's kernel. Needs root and the machine's mirror of Debian; the bare Debians are kept in
# /var/cache/crio-lxc-debian.
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
	require_open_checkout
	install_packages busybox-static debootstrap gcc libc6-dev libseccomp-dev lxc-dev musl-tools xz-utils
	install_npm_packages
	step 'npm run build' npm run build
}

cat <<'end'

Containers with liblxc 5.0, 6.0 and 7.0, and with the callers of Debian 12 and 13: some 20 minutes, and 10 more the first
time, for the bare Debians. NAMEs after -- are parts of paths: npm run test:hosts -- liblxc

Preparing

end
if (prepare); then
	status=0
	node_modules/.bin/vitest run --config test/hosts/vitest.config.ts --reporter=default --reporter=json \
		--outputFile.json="$results/hosts.json" "$@" </dev/null || status=$?
else status=1; fi
echo "$status" >"$results/hosts.status"

summary=0
node --import ./scripts/typescript.js test/run/summary.ts "$results" >"$results/summary" || summary=$?
printf '\n'
sed "\$s/\$/ in $(($(date +%s) - started)) s/" "$results/summary"
exit "$summary"
