#!/bin/busybox sh
# shellcheck shell=dash
# The machine's first process: makes the root that is served, read-only, and a tmpfs into its root. GUEST_INIT comes from
# the kernel's command line, and so does REPOSITORY, a directory that is not in that root.
/bin/busybox --install -s /bin
mkdir /dev /lower /upper /root
mount -t devtmpfs dev /dev
for module in /modules/*; do insmod "$module"; done
mount -t tmpfs -o size=75% upper /upper
# writable TAG DIRECTORY: what is served as TAG, below a layer that ends with the machine.
writable() {
	mkdir -p "/lower/$1" "/upper/$1/files" "/upper/$1/work" "$2"
	mount -t virtiofs "$1" "/lower/$1"
	mount -t overlay -o "lowerdir=/lower/$1,upperdir=/upper/$1/files,workdir=/upper/$1/work" "$1" "$2"
}
writable root /root
[ -z "$REPOSITORY" ] || writable repository "/root$REPOSITORY"
mkdir -p /root/proc /root/sys /root/dev /root/run /root/vm
mount --move /dev /root/dev
mount -t tmpfs -o mode=755 run /root/run
mount -t virtiofs shared /root/vm
exec switch_root /root /bin/sh "$GUEST_INIT"
