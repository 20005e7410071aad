#!/bin/sh
# The runs of npm test in virtual machines, which leave their reports in $results. In a session of its own, so that
# test.sh can end all of it.
set -eu
. test/vm/run-in-vm.sh

sh scripts/announce.sh vm
# shellcheck disable=SC2086 # a list of words
run_in_vm vm "$short_pass_machine -t 1200" $short_pass
# No machine has AppArmor and SELinux at once.
run_in_vm vm-selinux '-e -t 600' integration/fields/selinux
