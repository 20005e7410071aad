#!/bin/sh
# npm run demo: from a fresh Debian 12 or 13 with Node 20 or newer, npm, gcc and root to a container, and what each step took.
set -eu
cd "$(dirname "$0")/../.."
. test/run/prepare.sh

[ "$(id -u)" = 0 ] || fail 'run this as root: it installs packages and makes a container'

printf '\nPreparing\n\n'
# shellcheck disable=SC2086 # a list of words
install_packages $build_packages
install_npm_packages
step 'npm run build' npm run build

rm -f "$step_log"
exec node --import ./scripts/typescript.js test/demo/demo.ts
