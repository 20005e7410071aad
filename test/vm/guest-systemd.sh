#!/bin/sh
# Goes on as systemd with one service, guest-command.sh, and what that needs. Nothing of the host's is started: its
# systemd-tmpfiles alone would empty /tmp, where the host has its files.
rm -rf /etc/systemd/system /usr/lib/systemd/system/*.wants
mkdir /etc/systemd/system
# With these systemd would take the machine for a container, or for the host.
rm -f /.dockerenv /etc/machine-id
: >/etc/machine-id
cat >/etc/systemd/system/vm.service <<UNIT
[Unit]
Wants=dbus.socket systemd-journald.service
After=dbus.socket systemd-journald.service
[Service]
Type=oneshot
TimeoutStartSec=infinity
Delegate=yes
IgnoreSIGPIPE=no
OOMPolicy=continue
TasksMax=infinity
ExecStart=/bin/sh ${0%/*}/guest-command.sh
UNIT
exec /lib/systemd/systemd --unit=vm.service
