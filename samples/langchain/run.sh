#!/usr/bin/env bash
# Runs the sample with everything it needs: run.sh [QUESTION]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
exec uv run --project "$here" --package sample-langchain "$here/main.py" "$@"
