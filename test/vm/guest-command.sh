#!/bin/sh
# Runs the command that vm.sh left in /vm, and ends the machine.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
# For weights of block IO: the scheduler that has them, and devices that tests may put under it.
modprobe -q -a bfq loop ext4 || :
# podman's overlays cannot lie on another one, and a tmpfs cannot be idmapped before Linux 6.3; the host's /tmp may
# hold the command.
mkdir -p /var/lib/containers /run/disk
mount -t tmpfs -o size=1500M disk /run/disk
truncate -s 1400M /run/disk/image
mkfs.ext4 -q -O ^has_journal -E nodiscard /run/disk/image
mount -o loop /run/disk/image /var/lib/containers
mkdir -m 1777 /var/lib/containers/tmp
export TMPDIR=/var/lib/containers/tmp

setsid -w sh /vm/command </dev/null >>/vm/stdout 2>>/vm/stderr
echo $? >/vm/status
echo 1 >/proc/sys/kernel/sysrq
echo b >/proc/sysrq-trigger
