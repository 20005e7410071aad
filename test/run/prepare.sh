# shellcheck shell=sh
# Sourced by demo.sh and test.sh: the steps that a fresh Debian machine needs, each silent unless it fails.

# npm's scripts search node_modules/.bin first, and some versions of npm link the Node of an optional package there:
# everything here runs on the machine's own.
PATH=$(printf %s "$PATH" | tr : '\n' | grep -v '/node_modules/\.bin$' | paste -sd :)
export PATH

step_log=$(mktemp)
trap 'rm -f "$step_log"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
	green=$(printf '\033[32m') red=$(printf '\033[31m') dim=$(printf '\033[2m') plain=$(printf '\033[0m')
else
	green='' red='' dim='' plain=''
fi

fail() {
	printf '  %s✗ %s%s\n' "$red" "$1" "$plain"
	exit 1
}

# step SENTENCE COMMAND...: runs the command, then says how long it took; its output is shown only when it fails.
step() {
	sentence=$1
	shift
	started=$(date +%s%N)
	if "$@" >"$step_log" 2>&1 </dev/null; then
		tenths=$((($(date +%s%N) - started) / 100000000))
		printf '  %s✓%s %s %s%d.%d s%s\n' "$green" "$plain" "$sentence" "$dim" $((tenths / 10)) $((tenths % 10)) "$plain"
	else
		cat "$step_log"
		fail "$sentence: failed, see above"
	fi
}

# require_open_checkout: containers whose root is no user of the host start from files of dist/.
require_open_checkout() {
	directory=$PWD closed=''
	while :; do
		[ $((0$(stat -c %a "$directory") & 1)) = 1 ] || closed=$directory
		[ "$directory" != / ] || break
		directory=$(dirname "$directory")
	done
	[ -z "$closed" ] || fail "run this in a checkout that every user can reach: only its owner can enter $closed (chmod o+x it, or move the checkout)"
}

# What `npm run build` needs, and the busybox of the tests' root filesystems.
# shellcheck disable=SC2034 # for whoever sources this
build_packages='busybox-static gcc libc6-dev libseccomp-dev lxc-dev musl-tools xz-utils'

# missing_packages PACKAGE...: those that are not installed.
missing_packages() {
	for package; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s ' "$package"
	done
}

# install_packages PACKAGE...: installs what is missing of them, and nothing that they merely recommend.
install_packages() {
	missing=$(missing_packages "$@")
	if [ -z "$missing" ]; then
		printf '  %s✓%s the Debian packages are installed\n' "$green" "$plain"
		return
	fi
	[ "$(id -u)" = 0 ] || fail "run this as root: it installs $missing"
	command -v apt-get >/dev/null || fail "install these first, there is no apt-get here to do it: $missing"
	step 'apt-get update' apt-get update -q
	# shellcheck disable=SC2086 # a list of words
	step "apt-get install $missing" without_services env DEBIAN_FRONTEND=noninteractive \
		apt-get install -q -y --no-install-recommends $missing
}

# without_services COMMAND...: runs it while no package may start what it brings, such as dbus (invoke-rc.d(8)).
without_services() (
	policy=/usr/sbin/policy-rc.d
	[ ! -e $policy ] || exec "$@"
	trap 'rm -f $policy' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
	"$@"
)

# install_npm_packages: exactly what package-lock.json names, when there is nothing yet.
install_npm_packages() {
	if [ -d node_modules/turbo ]; then
		printf '  %s✓%s the npm packages are installed\n' "$green" "$plain"
	else
		step 'npm ci' npm ci --no-audit --no-fund
	fi
}
