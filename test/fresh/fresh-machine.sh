#!/bin/sh
# fresh-machine.sh [-d 12 | 13] [-n NODE] [-m NPM] [COMMAND...]: shows that the repository assumes nothing of its machine.
#
# Runs COMMAND (default: npm run demo) in a copy of this checkout, as a clone of it would be, on a Debian that has gcc,
# Node and npm and nothing else. It is a debootstrap tree with a root, mounts and /run of its own; kernel, devices, network
# and cgroups are the host's. Needs root and debootstrap. For a person, not for continuous integration: it takes minutes
# and downloads everything. The bare Debian is kept in CACHE (default /var/cache/crio-lxc-fresh-machine).
#
#   -d  Debian's version, 12 (bookworm) unless given
#   -n  Node's version, as 20 or 22.3; "debian" is Debian's own Node with Debian's own npm; the host's unless given
#   -m  npm's version; the host's unless given
set -eu
repository=$(cd "$(dirname "$0")/../.." && pwd)
cache=${CACHE:-/var/cache/crio-lxc-fresh-machine}

release=bookworm node='' npm=''
while getopts d:n:m: option; do
	case $option$OPTARG in
	d12) release=bookworm ;;
	d13) release=trixie ;;
	n*) node=$OPTARG ;;
	m*) npm=$OPTARG ;;
	*)
		sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
		exit 64
		;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || set -- npm run demo

for command in debootstrap git node npm; do
	command -v "$command" >/dev/null || { echo "fresh-machine: $command is missing" >&2 && exit 1; }
done

# On a disk, where device nodes work and there is room for node_modules.
machine=$(mktemp -d /var/tmp/crio-lxc-fresh-XXXXXX)
trap 'rm -rf --one-file-system "$machine"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# npm_package NAME@VERSION DIRECTORY: the package's files, without what it depends on.
npm_package() {
	mkdir "$machine/package" "$2"
	(cd "$machine/package" && npm pack --silent "$1" >/dev/null)
	tar -C "$2" --strip-components=1 -xf "$machine"/package/*.tgz
	rm -r "$machine/package"
}

debian=$cache/$release.tar
if [ ! -e "$debian" ]; then
	echo "making a bare Debian $release in $debian"
	sh "$repository/test/fresh/bare-debian.sh" "$release" "$debian" ca-certificates gcc libc6-dev
fi

root=$machine/root
mkdir "$root"
tar -C "$root" -xf "$debian"

mkdir -p "$root/usr/lib/node_modules"
case $node in
debian)
	# shellcheck disable=SC2016 # the inner shell expands it
	set -- sh -eu -c '
		apt-get update -q >/root/log
		DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends nodejs npm >>/root/log
		exec "$@"
	' sh "$@"
	;;
'') cp "$(readlink -f "$(command -v node)")" "$root/usr/bin/node" ;;
*)
	npm_package "node-linux-$(node -p process.arch)@$node" "$machine/node"
	mv "$machine/node/bin/node" "$root/usr/bin/node"
	;;
esac
if [ "$node" != debian ]; then
	if [ -n "$npm" ]; then npm_package "npm@$npm" "$root/usr/lib/node_modules/npm"; else
		npm_program=$(readlink -f "$(command -v npm)")
		cp -a "${npm_program%/bin/*}" "$root/usr/lib/node_modules/npm"
	fi
	ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/bin/npm"
fi

# How the host reaches the network.
cp /etc/resolv.conf /etc/hosts "$root/etc/"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"

# What a clone would hold: every file that git knows or would add, so that a change can be tried before its commit.
mkdir "$root/srv/crio-lxc"
git -C "$repository" ls-files -z --cached --others --exclude-standard |
	tar -C "$repository" --null --files-from=- --ignore-failed-read -c | tar -C "$root/srv/crio-lxc" -x

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
	cd /srv/crio-lxc
	exec env -i HOME=/root TERM="${TERM:-dumb}" PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		${NODE_EXTRA_CA_CERTS:+NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt} "$@"
' sh "$root" "$@"
