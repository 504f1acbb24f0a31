#!/usr/bin/env bash
# First step of action.yml: installs the checker outside the job's files.
set -euo pipefail

if ! command -v npm >/dev/null; then
  echo '::error title=propagation-check::there is no npm: put actions/setup-node before this step'
  exit 2
fi
if [[ -z $PACKAGE ]]; then
  PACKAGE=propagation-check@$(node -p 'require(process.argv[1]).version' "$GITHUB_ACTION_PATH/packages/propagation-check/package.json")
fi
# npm resolves file paths in the folder into which it installs.
[[ ! -f $PACKAGE ]] || PACKAGE=$(cd "$(dirname "$PACKAGE")" && pwd)/$(basename "$PACKAGE")
mkdir -p "$RUNNER_TEMP/propagation-check"
npm install --prefix "$RUNNER_TEMP/propagation-check" --ignore-scripts --prefer-offline --no-audit --no-fund -- "$PACKAGE"
