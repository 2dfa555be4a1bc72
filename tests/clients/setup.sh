#!/usr/bin/env bash
# Installs what the client tests need: npm packages by lock file, and a browser
# when there is none. Quick when all is there.
set -euo pipefail
cd "$(dirname "$0")"

for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "setup: $tool is missing: install Node.js 20 or later" >&2; exit 1; }
done

if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --no-audit --no-fund --loglevel=error
  touch node_modules/.package-lock.json
fi

browser() { [ -x "${CHROMIUM:-}" ] || command -v chromium || command -v chromium-browser || command -v google-chrome || command -v google-chrome-stable; }
if ! browser >/dev/null; then
  { command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } ||
    { echo "setup: no browser found: install Chromium (Debian: apt-get install chromium) or set CHROMIUM to its path" >&2; exit 1; }
fi
