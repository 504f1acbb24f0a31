#!/usr/bin/env bash
# Second step of action.yml: runs the checker, which writes annotations, the step summary and the outputs.
set -euo pipefail

main() {
  local status=0 verdict
  reports=$(mktemp -d "$RUNNER_TEMP/propagation-check-reports.XXXXXX")
  log=$reports.log
  arguments=()
  choose_command

  node "$RUNNER_TEMP/propagation-check/node_modules/propagation-check/dist/cli.js" "${arguments[@]}" 2>&1 | tee "$log" || status=${PIPESTATUS[0]}

  verdict=unknown
  if [[ -f $reports/report.json ]]; then
    verdict=$(node -p 'JSON.parse(fs.readFileSync(process.argv[1], "utf8")).verdict' "$reports/report.json")
  fi
  printf 'verdict=%s\nreports=%s\n' "$verdict" "$reports" >>"$GITHUB_OUTPUT"
  # A run without a result prints no annotations; its last message is the reason.
  grep -q '^::[a-z]* title=Trace context propagation' "$log" || annotate "$(sed -n 's/^propagation-check: //p' "$log" | tail -n 1)"
  exit "$status"
}

choose_command() {
  local given=0 input
  for input in "$EXEC" "$RUN" "$FILE"; do [[ -z $input ]] || given=$((given + 1)); done
  ((given == 1)) || fail 'one of the inputs exec, run and file is needed, and no other of them'
  if [[ $EXEC ]]; then arguments=(exec); elif [[ $RUN ]]; then arguments=(run); else arguments=(file); fi

  arguments+=(--report github --report "html=$reports/report.html" --report "json=$reports/report.json")
  # With `=`, a value that begins with a dash is not read as an option.
  [[ -z $SOURCE ]] || arguments+=("--source=$SOURCE")
  [[ -z $EXPECTATIONS ]] || arguments+=("--expectations=$EXPECTATIONS")
  add_lines --expect= "$EXPECT"
  add_lines '' "$OPTIONS"
  arguments+=(--)
  if [[ $EXEC ]]; then arguments+=(bash --noprofile --norc -eo pipefail -c "$EXEC"); else add_lines '' "$RUN$FILE"; fi
}

# Adds each line as an argument.
add_lines() {
  local prefix=$1 line
  while IFS= read -r line; do
    [[ -z $line ]] || arguments+=("$prefix$line")
  done <<<"$2"
}

annotate() {
  local message=${1:-no verdict, see the log of this step}
  message=${message//%/%25}
  printf '::error title=propagation-check::%s\n' "${message//$'\r'/%0D}"
}

fail() {
  annotate "$1"
  printf 'verdict=unknown\n' >>"$GITHUB_OUTPUT"
  exit 2
}

main
