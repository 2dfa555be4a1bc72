#!/usr/bin/env bash
# Installs the PostgreSQL server that tests of the SQL store start for themselves,
# where that is possible; elsewhere those tests say what is missing and are skipped.
set -euo pipefail

[ -n "${SHADDOCK_TEST_POSTGRES:-}" ] && exit 0
command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null && exit 0
{ command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] && apt-get update -qq &&
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null; } ||
  echo "postgres: no server here: install PostgreSQL (Debian: apt-get install postgresql) or set SHADDOCK_TEST_POSTGRES to the URL of one; its tests are skipped" >&2
