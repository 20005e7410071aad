#!/bin/sh
# announce.sh PASS...: says what each pass does and about how long it takes, in the words of the table in docs/development.md.
set -eu
for pass; do
	awk -F ' *[|] *' -v pass="$pass" '
		index(", " $2 ",", ", " pass ",") {
			gsub(/`/, "", $3)
			seconds = $4
			gsub(/,/, "", seconds)
			time = seconds < 120 ? seconds " s" : int(seconds / 60 + 0.5) " minutes"
			together = $2 == pass ? "" : " together"
			printf "\n%s: %s; about %s%s on two processors\n", pass, $3, time, together
			found = 1
		}
		END {
			if (found) exit
			print "announce.sh: docs/development.md has no pass " pass > "/dev/stderr"
			exit 1
		}' "$(dirname "$0")/../docs/development.md"
done
