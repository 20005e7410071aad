#!/bin/sh
# pid 1 of the machine: mounts what a host has, runs the command that vm.sh left in /vm, and ends the machine.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mkdir -p /dev/pts /dev/shm /dev/mqueue /run/lock /var/lib/containers
ln -s /proc/self/fd /dev/fd
ln -s fd/0 /dev/stdin
ln -s fd/1 /dev/stdout
ln -s fd/2 /dev/stderr
mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t mqueue mqueue /dev/mqueue
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup
for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
	echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control
done
# podman's overlays cannot lie on another one.
mount -t tmpfs containers /var/lib/containers
# As systemd makes it.
mount --make-rshared /
ip link set lo up
hostname vm

setsid -w sh /vm/command </dev/null >>/vm/stdout 2>>/vm/stderr
echo $? >/vm/status
echo 1 >/proc/sys/kernel/sysrq
echo b >/proc/sysrq-trigger
