#!/bin/sh
# bare-debian.sh RELEASE TAR [PACKAGE...]: makes TAR, a Debian with nothing but what debootstrap must install and the PACKAGEs,
# unless there is one already. Needs root and debootstrap.
set -eu
release=$1 tar=$2
shift 2
[ ! -e "$tar" ] || exit 0
mkdir -p "$(dirname "$tar")"
# On a disk, where device nodes work.
directory=$(mktemp -d /var/tmp/crio-lxc-debian-XXXXXX)
trap 'rm -rf --one-file-system "$directory"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
debootstrap --variant=minbase ${1:+"--include=$(echo "$@" | tr ' ' ,)"} "$release" "$directory/tree" >"$directory/log" 2>&1 ||
	{ tail -20 "$directory/log" && exit 1; }
tar -C "$directory/tree" -cf "$tar.part" .
mv "$tar.part" "$tar"
