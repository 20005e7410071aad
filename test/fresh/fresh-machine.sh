#!/bin/sh
# fresh-machine.sh [COMMAND...]: shows that the repository assumes nothing of the machine it is on.
#
# Runs COMMAND (default: npm run demo) in a copy of this checkout, as a clone of it would be, on a Debian 12 that has
# gcc, the host's Node and npm and nothing else. It is a debootstrap tree with a root, mounts and /run of its own; kernel, devices,
# network and cgroups are the host's. Needs root and debootstrap. For a person, not for continuous integration: it
# takes minutes and downloads everything. The bare Debian is kept in CACHE (default /var/cache/crio-lxc-fresh-machine).
set -eu
repository=$(cd "$(dirname "$0")/../.." && pwd)
cache=${CACHE:-/var/cache/crio-lxc-fresh-machine}
debian=$cache/bookworm.tar
[ $# -gt 0 ] || set -- npm run demo

for command in debootstrap git node npm; do
	command -v "$command" >/dev/null || { echo "fresh-machine: $command is missing" >&2 && exit 1; }
done

# On a disk, where device nodes work and there is room for node_modules.
machine=$(mktemp -d /var/tmp/crio-lxc-fresh-XXXXXX)
trap 'rm -rf --one-file-system "$machine"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [ ! -e "$debian" ]; then
	echo "making a bare Debian 12 in $debian"
	mkdir -p "$cache"
	mkdir "$machine/new"
	debootstrap --variant=minbase --include=ca-certificates,gcc,libc6-dev bookworm "$machine/new" >"$machine/log" 2>&1 ||
		{ tail -20 "$machine/log" && exit 1; }
	tar -C "$machine/new" -cf "$debian.part" .
	mv "$debian.part" "$debian"
	rm -rf --one-file-system "$machine/new"
fi

root=$machine/root
mkdir "$root"
tar -C "$root" -xf "$debian"

# The host's Node and npm, and how the host reaches the network.
npm=$(readlink -f "$(command -v npm)")
npm_package=${npm%/bin/*}
mkdir -p "$root/usr/lib/node_modules"
cp "$(readlink -f "$(command -v node)")" "$root/usr/bin/node"
cp -a "$npm_package" "$root/usr/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/bin/npm"
cp /etc/resolv.conf /etc/hosts "$root/etc/"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"

# What a clone would hold: every file that git knows or would add, so that a change can be tried before its commit.
mkdir "$root/root/crio-lxc"
git -C "$repository" ls-files -z --cached --others --exclude-standard |
	tar -C "$repository" --null --files-from=- --ignore-failed-read -c | tar -C "$root/root/crio-lxc" -x

# A mount namespace of its own ends with its last process, and so do its mounts.
# shellcheck disable=SC2016 # the inner shell expands it
unshare --mount --propagation private sh -eu -c '
	root=$1
	shift
	mount --bind "$root" "$root"
	mount --rbind /proc "$root/proc"
	mount --rbind /sys "$root/sys"
	mount --rbind /dev "$root/dev"
	mount -t tmpfs -o mode=755 tmpfs "$root/run"
	mount -t tmpfs tmpfs "$root/tmp"
	cd "$root"
	pivot_root . mnt
	umount -l mnt
	cd /root/crio-lxc
	exec env -i HOME=/root TERM="${TERM:-dumb}" PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		${NODE_EXTRA_CA_CERTS:+NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt} "$@"
' sh "$root" "$@"
