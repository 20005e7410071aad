#!/bin/sh
# vm.sh [-v] [-s] [-l] [-a | -e] [-r DIR] [-m MIB] [-t SECONDS] [-w DIR] -- COMMAND [ARGUMENT]...
#
# Runs COMMAND as root in a virtual machine that has only cgroup v2, in the present directory, with this host's files:
# the machine's root is the host's, read-only, below an overlay that ends with it. Its output and exit status become ours.
#
#   -v  says on stderr what it is doing
#   -s  systemd is the first process, and COMMAND one of its services; otherwise guest-init.sh is, and nothing else runs
#   -l  with -s: the legacy layout that systemd makes, v1 controllers and cgroup v2 without any beside them
#   -a  AppArmor is on
#   -e  SELinux is on and enforces the policy in selinux.cil and the package's module, whose file contexts are in
#       /vm/file_contexts; not with -s, as systemd looks for a policy of its own
#   -r  a tree that is the machine's root in this host's place, with the kernel in its boot; of this host it has the
#       repository alone, where COMMAND is to be
#   -m  memory of the machine in MiB, 3072 by default
#   -t  seconds after which the machine is ended, 300 by default; the exit status is then 124
#   -w  a directory of the host that is writable inside as /vm; by default a temporary one
#
# 125: the machine ended without a status; its console is printed. The processor is emulated, so everything takes 6 to 30
# times as long as outside. Needs qemu-system-x86, on Debian 13 virtiofsd, linux-image-cloud-amd64, busybox-static and kmod,
# with -s systemd and dbus, with -a apparmor, with -e secilc.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

memory=3072 limit=300 shared='' root='' init=guest-init.sh security='apparmor=0' layout='' verbose=''
while getopts vslaer:m:t:w: option; do
	case $option in
	v) verbose=1 ;;
	s) init=guest-systemd.sh ;;
	# systemd 256 and newer boot on without the second.
	l) layout='systemd.unified_cgroup_hierarchy=0 SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1' ;;
	a) security='apparmor=1 security=apparmor' ;;
	e) security='selinux=1 security=selinux' ;;
	r) root=$(realpath "$OPTARG") ;;
	m) memory=$OPTARG ;;
	t) limit=$OPTARG ;;
	w) shared=$(realpath "$OPTARG") ;;
	*) exit 64 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || {
	sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
	exit 64
}

say() { [ -z "$verbose" ] || printf '  %s\n' "$1" >&2; }

work=$(mktemp -d)
processes=''
finish() {
	for process in $processes; do kill "$process" 2>/dev/null || :; done
	wait
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
[ -n "$shared" ] || mkdir "${shared:=$work/shared}"

# The command, for guest-init.sh.
quote() { printf "'%s' " "$(printf %s "$1" | sed "s/'/'\\\\''/g")"; }
{
	printf 'cd %s && exec ' "$(quote "$PWD")"
	for word; do quote "$word"; done
	echo
} >"$shared/command"
: >"$shared/stdout"
: >"$shared/stderr"
rm -f "$shared/status" "$shared/policy" "$shared/file_contexts"
case $security in
# Linux 6.12 takes no later version than 33, and the secilc of the same Debian 13 writes one.
selinux*) secilc -c 33 -o "$shared/policy" -f "$shared/file_contexts" "$here/selinux.cil" "$here/../../scripts/package/files/crio-lxc.cil" ;;
esac

# The initramfs: busybox, the modules that reach the root in the order of their dependencies, and initramfs-init.sh.
kernel=$(find "$root/boot" -name 'vmlinuz-*-cloud-amd64' | sort -V | tail -n 1)
[ -n "$kernel" ] || {
	echo "vm.sh: there is no kernel for the machine in $root/boot: install linux-image-cloud-amd64" >&2
	exit 125
}
say 'an initramfs for the machine'
mkdir -p "$work/initramfs/bin" "$work/initramfs/modules"
cp /bin/busybox "$work/initramfs/bin/"
cp "$here/initramfs-init.sh" "$work/initramfs/init"
number=100
for module in virtio_pci virtiofs overlay; do
	modprobe --dirname "$root/" --set-version "${kernel#*vmlinuz-}" --show-depends "$module"
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r file; do
	number=$((number + 1))
	case $file in
	*.xz) xz -dc "$file" >"$work/initramfs/modules/$number.ko" ;;
	*) cp "$file" "$work/initramfs/modules/$number.ko" ;;
	esac
done
(cd "$work/initramfs" && find . | busybox cpio -o -H newc) >"$work/initrd" 2>/dev/null

# The server of files: of Debian 13 and newer, and the one in the QEMU of Debian 12.
if [ -x /usr/libexec/virtiofsd ]; then
	server='/usr/libexec/virtiofsd --cache=always --sandbox=chroot --log-level=error' shared_option=--shared-dir=
	no_readdirplus=--no-readdirplus
else
	server='/usr/lib/qemu/virtiofsd -o cache=always -o sandbox=chroot -o log_level=err' shared_option=-osource=
	no_readdirplus=-ono_readdirplus
fi
# serve NAME DIRECTORY: becomes a server of the directory on the socket NAME.
serve() {
	# shellcheck disable=SC2086 # a list of words
	exec $server --socket-path="$work/$1.socket" "$shared_option$2" >"$work/$1.log" 2>&1
}
# serve_tree NAME DIRECTORY: the same for a directory without what is mounted on it, read-only whatever the machine does.
serve_tree() {
	mkdir "$work/$1"
	# shellcheck disable=SC2016,SC2086 # the inner shell expands it; a list of words
	exec unshare --mount sh -ec '
		mount --bind "$1" "$2"
		mount -o remount,bind,ro "$2"
		shift 2
		exec "$@"' sh "$2" "$work/$1" \
		$server --socket-path="$work/$1.socket" "$shared_option$work/$1" $no_readdirplus >"$work/$1.log" 2>&1
}
serve_tree root "${root:-/}" &
processes="$processes $!"
serve shared "$shared" &
processes="$processes $!"
served='root shared' disks='' repository=''
if [ -n "$root" ]; then
	repository=$(cd "$here/../.." && pwd)
	serve_tree repository "$repository" &
	processes="$processes $!"
	served="$served repository"
	disks="-chardev socket,id=repository,path=$work/repository.socket \
		-device vhost-user-fs-pci,chardev=repository,tag=repository"
fi
for name in $served; do
	tries=0
	until [ -S "$work/$name.socket" ]; do
		tries=$((tries + 1))
		[ $tries -lt 500 ] || {
			cat "$work/$name.log" >&2
			exit 125
		}
		sleep 0.02
	done
done

say "the machine boots, and runs the command; it has $limit s"
# no_timer_check: the kernel sees at boot whether ticks come, in a time that a busy host can let pass without one, and panics.
# shellcheck disable=SC2086 # a list of words
timeout --kill-after=5 "$limit" qemu-system-x86_64 -machine q35 -accel tcg,thread=multi -cpu max -smp 2 -m "$memory" \
	-nodefaults -no-user-config -display none -no-reboot -serial "file:$work/console" \
	-object "memory-backend-memfd,id=memory,size=${memory}M,share=on" -numa node,memdev=memory \
	-chardev "socket,id=root,path=$work/root.socket" -device vhost-user-fs-pci,chardev=root,tag=root \
	-chardev "socket,id=shared,path=$work/shared.socket" -device vhost-user-fs-pci,chardev=shared,tag=shared \
	$disks -kernel "$kernel" -initrd "$work/initrd" \
	-append "console=ttyS0 panic=-1 reboot=t mitigations=off cryptomgr.notests no_timer_check $security $layout \
GUEST_INIT=$here/$init REPOSITORY=$repository" \
	</dev/null &
machine=$!
tail -n +1 -s 0.1 -f --pid=$machine "$shared/stdout" &
tails=$!
tail -n +1 -s 0.1 -f --pid=$machine "$shared/stderr" >&2 &
tails="$tails $!"
processes="$processes $machine $tails"
ended=0
wait $machine || ended=$?
# shellcheck disable=SC2086 # a list of words
wait $tails || :
[ -s "$shared/status" ] && exit "$(cat "$shared/status")"
if [ $ended = 124 ]; then
	echo "vm.sh: ended after $limit seconds" >&2
	exit 124
fi
tail -n 40 "$work/console" >&2
echo 'vm.sh: the machine ended without an exit status, see its console above' >&2
exit 125
