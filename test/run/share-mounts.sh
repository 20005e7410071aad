#!/bin/sh
# share-mounts.sh COMMAND...: runs COMMAND where every mount is shared, as systemd makes it. For a mount namespace of its own.
set -eu
mount --make-rshared /
exec "$@"
