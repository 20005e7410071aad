#!/bin/sh
# pid 1 of the machine: mounts what a host has, and goes on as guest-command.sh.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mkdir -p /dev/pts /dev/shm /dev/mqueue /run/lock
ln -s /proc/self/fd /dev/fd
ln -s fd/0 /dev/stdin
ln -s fd/1 /dev/stdout
ln -s fd/2 /dev/stderr
mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t mqueue mqueue /dev/mqueue
mount -t bpf bpf /sys/fs/bpf
mount -t securityfs securityfs /sys/kernel/security
if [ -e /vm/policy ]; then
	mount -t selinuxfs selinuxfs /sys/fs/selinux
	# The kernel takes a policy in one piece.
	dd if=/vm/policy of=/sys/fs/selinux/load bs=1M 2>/dev/null
	echo 1 >/sys/fs/selinux/enforce
fi
mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup
for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
	echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control
done
# As systemd makes it.
mount --make-rshared /
ip link set lo up
hostname vm

exec sh "${0%/*}/guest-command.sh"
