# shellcheck shell=sh
# Sourced by test/vm/test.sh, after prepare.sh: the root of a machine with Debian 13 on a host with Debian 12.

# What test.sh installs on the host, by the names that Debian 13 has.
debian_13_packages='nodejs systemd dbus apparmor kmod busybox-static e2fsprogs gcc libc6-dev liblxc1t64 runc podman conmon
	containerd netavark catatonit uidmap iproute2 procps mount jq'

# make_debian_13 DIRECTORY: a bare Debian 13 and the cloud kernel, which is unpacked only: what its installation runs is
# for a machine that boots by itself. It takes minutes, so it is kept there until the list above changes.
make_debian_13() (
	directory=$1
	[ "$(cat "$directory/packages" 2>/dev/null)" != "$debian_13_packages" ] || exit 0
	root=$directory/root
	rm -rf --one-file-system "$directory"
	mkdir -p "$directory"
	trap 'rm -rf --one-file-system "$directory"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	# shellcheck disable=SC2086 # a list of words
	debootstrap --variant=minbase --include="$(echo $debian_13_packages | tr ' ' ,)" trixie "$root"
	kernel=$(chroot "$root" apt-cache depends linux-image-cloud-amd64 | awk '$1 == "Depends:" { print $2; exit }')
	# shellcheck disable=SC2016 # the inner shell expands it
	chroot "$root" sh -c 'cd /root && apt-get -o APT::Sandbox::User=root download "$0"' "$kernel"
	dpkg -x "$root/root/$kernel"_*.deb "$root/root/kernel"
	cp -a "$root/root/kernel/boot/." "$root/boot/"
	cp -a "$root/root/kernel/usr/lib/modules" "$root/usr/lib/"
	rm -rf "$root/root/kernel" "$root/root/$kernel"_*.deb
	depmod -b "$root" "${kernel#linux-image-}"
	printf '%s\n' "$debian_13_packages" >"$directory/packages"
	trap - EXIT
)
