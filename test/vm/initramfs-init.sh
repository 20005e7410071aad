#!/bin/busybox sh
# shellcheck shell=dash
# The machine's first process: makes the host's root, read-only, and a tmpfs into its root. GUEST_INIT comes from the
# kernel's command line.
/bin/busybox --install -s /bin
mkdir /dev /lower /upper /root
mount -t devtmpfs dev /dev
for module in /modules/*; do insmod "$module"; done
mount -t virtiofs root /lower
mount -t tmpfs -o size=75% upper /upper
mkdir /upper/files /upper/work
mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work root /root
mkdir -p /root/proc /root/sys /root/dev /root/run /root/vm
mount --move /dev /root/dev
mount -t tmpfs -o mode=755 run /root/run
mount -t virtiofs shared /root/vm
exec switch_root /root /bin/sh "$GUEST_INIT"
