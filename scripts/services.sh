#!/usr/bin/env bash
# Makes sure that the servers and the browser which tests use are installed. As root on Debian it installs what is
# missing; otherwise it says loudly what will be left out. Prints "complete" or "partial" as its last line.
set -u

missing=()
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null || missing+=(postgresql)
ls /usr/share/postgresql/*/extension/postgis.control >/dev/null 2>&1 || missing+=(postgresql-postgis)
command -v mariadbd >/dev/null || [ -x /usr/sbin/mariadbd ] || missing+=(mariadb-server)
command -v redis-server >/dev/null || command -v valkey-server >/dev/null || missing+=(redis-server)
command -v rabbitmq-server >/dev/null || [ -x /usr/sbin/rabbitmq-server ] || missing+=(rabbitmq-server)
ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || missing+=(libfaketime)
[ -x /usr/bin/chromium ] || missing+=(chromium)
fc-list 2>/dev/null | grep -qi "noto.*cjk" || [ -d /usr/share/fonts/opentype/noto ] || missing+=(fonts-noto-cjk)

if [ ${#missing[@]} -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "· installing for the tests: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  # Packages must not start their servers: the suite starts its own.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy && trap 'rm -f '$policy EXIT; fi
  if { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >/tmp/citygo-apt.log 2>&1; then
    missing=()
  else
    tail -n 5 /tmp/citygo-apt.log
  fi
fi
if [ ${#missing[@]} -gt 0 ]; then
  echo "!! LEFT OUT: tests that need ${missing[*]} are skipped. Install these Debian packages to run all tests."
  echo partial
else
  echo complete
fi
