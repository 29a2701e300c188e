#!/bin/bash
# Stands in for Grafana: reads what compose gives it, as the user that it is there; then answers its health check.
set -euo pipefail
provisioning=/etc/grafana/provisioning
[ "$(id -u)" = 472 ]
[ -s "$GF_SECURITY_ADMIN_PASSWORD__FILE" ]
cat "$GF_SECURITY_ADMIN_PASSWORD__FILE" > /tmp/password
find "$provisioning" /etc/grafana/dashboards -type f -exec cat {} + > /tmp/read
[ "$(find /etc/grafana/dashboards -name '*.json' | wc -l)" -ge 6 ]
for kind in datasources dashboards alerting; do
  [ -n "$(ls "$provisioning/$kind")" ]
done
# every variable and every file that provisioning names
for name in $(grep -rhoP '\$__env\{\K[^}]+' "$provisioning" | sort -u); do
  [ -n "${!name}" ]
done
for file in $(grep -rhoP '\$__file\{\K[^}]+' "$provisioning" | sort -u); do
  [ -s "$file" ]
  cat "$file" > /tmp/token
done
# it keeps its database there, and nothing elsewhere
touch /var/lib/grafana/grafana.db
! touch /etc/grafana/written 2> /dev/null
# its data source answers at that address, takes the token, and has the bucket; the monitor may be setting it up just now
until wget -q -T 5 -O /tmp/bucket --header "Authorization: Token $(cat /tmp/token)" \
  "$INFLUX_URL/api/v2/buckets?org=$INFLUX_ORG&name=$INFLUX_BUCKET"; do
  sleep 1
done
grep --quiet "\"name\": *\"$INFLUX_BUCKET\"" /tmp/bucket
mkdir --parents /tmp/www/api
echo '{"database": "ok"}' > /tmp/www/api/health
echo 'read all that Grafana is given'
exec busybox httpd -f -p 3000 -h /tmp/www
