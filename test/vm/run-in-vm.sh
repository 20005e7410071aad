# shellcheck shell=sh
# Sourced by test/run/test.sh and test/vm/test.sh, after prepare.sh: tests in the virtual machine of vm.sh.

vm_packages='qemu-system-x86 linux-image-cloud-amd64 kmod busybox-static e2fsprogs systemd dbus apparmor secilc'
# Debian 12's QEMU has the server of files in it.
[ "$(. /etc/os-release && echo "$VERSION_ID")" = 12 ] || vm_packages="$vm_packages virtiofsd"

# What npm test shows in the machine, for its host may have neither systemd nor AppArmor nor cgroup v2 alone: the
# life cycle, limits, the freezer, devices, scopes of systemd, labels of AppArmor, and podman upon them.
short_pass_machine='-s -a'
short_pass='integration/starting/start.test integration/lifecycle/pause.test integration/lifecycle/events.test
	integration/cgroup/cgroup-v2 integration/systemd/systemd.test integration/systemd/systemd-limits
	integration/fields/limits.test integration/fields/device-program
	integration/fields/apparmor integration/fields/block-io-weights callers/podman/systemd.test'

# run_in_vm NAME OPTIONS FILTER...: the integration tests whose paths contain a FILTER, in a machine that vm.sh makes with
# OPTIONS, a list of words. Like test.sh's runs it leaves NAME.json and NAME.status in $results.
run_in_vm() {
	name=$1 options=$2
	shift 2
	printf '\n%s\n' "$name"
	mkdir -p "$results/$name.machine"
	status=0
	# Everything takes 6 to 30 times as long as outside; so does starting a process for each file, and the time-outs are
	# for one at a time.
	# shellcheck disable=SC2086 # lists of words
	sh test/vm/vm.sh $options -w "$results/$name.machine" -- env "PATH=$PATH" "CI=${CI-}" ${RUNTIME:+"RUNTIME=$RUNTIME"} \
		node_modules/.bin/vitest run --config test/vitest.config.ts --project 'integration*' --no-isolate --no-file-parallelism \
		--testTimeout 300000 --hookTimeout 300000 \
		--reporter=default --reporter="$PWD/test/support/skip-reporter.ts" --reporter="$PWD/test/support/retry-reporter.ts" \
		--reporter=json --outputFile.json="/vm/report.json" "$@" || status=$?
	echo "$status" >"$results/$name.status"
	mv "$results/$name.machine/report.json" "$results/$name.json" 2>/dev/null || :
	rm -rf "$results/$name.machine"
}
