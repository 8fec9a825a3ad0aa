#!/usr/bin/env bash
# Runs the sample with everything it needs: run.sh COMMAND [TEXT]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
exec uv run --project "$here" --package sample-groq "$here/main.py" "$@"
