#!/bin/sh
# Runs the command that vm.sh left in /vm, and ends the machine.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
# podman's overlays cannot lie on another one; the host's /tmp may hold the command.
mkdir -p /var/lib/containers
mount -t tmpfs containers /var/lib/containers
mkdir -m 1777 /var/lib/containers/tmp
export TMPDIR=/var/lib/containers/tmp
# For weights of block IO: the scheduler that has them, and devices that tests may put under it.
modprobe -q -a bfq loop || :

setsid -w sh /vm/command </dev/null >>/vm/stdout 2>>/vm/stderr
echo $? >/vm/status
echo 1 >/proc/sys/kernel/sysrq
echo b >/proc/sysrq-trigger
