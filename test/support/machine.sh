#!/bin/sh
# machine.sh keep ROOT NAME [DIRECTORY...]: makes a machine of the Debian in ROOT, with mounts, /run and cgroups of its own; kernel,
# processes, devices, network and the DIRECTORYs, at the same paths, are the host's. Prints the id of its process, and keeps the
# machine until standard input ends; then it ends what runs in it, and removes its cgroups and ROOT.
# machine.sh enter PID NAME COMMAND...: runs COMMAND in it.
set -eu

hierarchies() { awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/mounts; }

join_cgroups() { for hierarchy in $(hierarchies); do echo $$ >"$hierarchy/$1/shell/cgroup.procs"; done; }

make_cgroups() {
	for hierarchy in $(hierarchies); do
		for cgroup in "$hierarchy/$1" "$hierarchy/$1/shell"; do
			mkdir "$cgroup"
			# A cpuset that is empty takes no process.
			for file in cpuset.cpus cpuset.mems; do
				[ -z "$(cat "$cgroup/cgroup.clone_children" 2>/dev/null)" ] || [ ! -e "$cgroup/$file" ] ||
					cat "$cgroup/../$file" >"$cgroup/$file"
			done
		done
	done
}

# What is in them was started in the machine.
remove_cgroups() {
	for hierarchy in $(hierarchies); do
		find "$hierarchy/$1" -name cgroup.procs -exec cat {} + 2>/dev/null | xargs -r kill -KILL 2>/dev/null || :
	done
	sleep 0.2
	for hierarchy in $(hierarchies); do find "$hierarchy/$1" -depth -type d -exec rmdir {} + 2>/dev/null || :; done
}

mount_all() {
	root=$1 name=$2
	mount --bind "$root" "$root"
	mount --rbind /proc "$root/proc"
	mount --rbind /dev "$root/dev"
	mount --bind /sys "$root/sys"
	mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
	for hierarchy in $(hierarchies | grep '^/sys/fs/cgroup'); do
		mkdir -p "$root$hierarchy"
		mount --bind "$hierarchy/$name" "$root$hierarchy"
	done
	mount -t tmpfs -o mode=755 tmpfs "$root/run"
	mount -t tmpfs tmpfs "$root/tmp"
}

case $1 in
keep)
	root=$2 name=$3
	shift
	trap 'remove_cgroups "$name"; rm -rf --one-file-system "$root"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	make_cgroups "$name"
	sh "$0" join "$@"
	;;
join) # The cgroup namespace begins where its maker is; then it steps aside, for limits of v2 want no processes in the root.
	name=$3
	shift
	for hierarchy in $(hierarchies); do echo $$ >"$hierarchy/$name/cgroup.procs"; done
	exec unshare --mount --propagation private --cgroup sh "$0" inside "$@"
	;;
inside)
	root=$2 name=$3
	shift 3
	join_cgroups "$name"
	mount_all "$root" "$name"
	for directory; do
		mkdir -p "$root$directory"
		mount --bind "$directory" "$root$directory"
	done
	cd "$root"
	pivot_root . mnt
	umount -l mnt
	echo $$
	exec cat >/dev/null
	;;
enter)
	pid=$2 name=$3
	shift 3
	join_cgroups "$name"
	exec nsenter --target "$pid" --mount --cgroup env -i HOME=/root TERM=dumb LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
	;;
esac
