# shellcheck shell=sh
# Sourced, after prepare.sh, by the passes that have a command of their own.

# single_pass CONFIG FILTER...: calls `prepare`, runs the tests that the vitest configuration has, and ends with the line
# "N passed, N failed in N s"; exits with 0 when nothing failed.
single_pass() {
	config=$1
	shift
	pass_started=$(date +%s)
	results=$(mktemp -d)
	trap 'rm -rf "$results" "$step_log"' EXIT
	printf '\nPreparing\n\n'
	if (prepare); then
		status=0
		node_modules/.bin/vitest run --config "$config" --reporter=verbose --reporter=json \
			--outputFile.json="$results/tests.json" "$@" </dev/null || status=$?
	else status=1; fi
	echo "$status" >"$results/tests.status"

	summary=0
	node --import ./scripts/typescript.js test/run/summary.ts "$results" >"$results/summary" || summary=$?
	printf '\n'
	sed "\$s/\$/ in $(($(date +%s) - pass_started)) s/" "$results/summary"
	exit "$summary"
}
