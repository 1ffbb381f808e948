#!/usr/bin/env bash
# Accepts a deployed gateway: sends requests to it and says of each whether the response is the promised one. Prints no token and no credentials.
set -uo pipefail

usage() {
  cat >&2 <<'TEXT'
usage: TOKEN=… ORGANIZATION=… OTHER_ORGANIZATION=… deploy/accept.sh URL MANAGEMENT_URL

  URL                 the public address, such as https://api.example.com; http only for this machine, because a token is sent
  MANAGEMENT_URL      the management address, such as http://127.0.0.1:9090 after: kubectl -n iot-gateway port-forward deployment/iot-gateway 9090
  TOKEN               an access token of a member of ORGANIZATION, and not of OTHER_ORGANIZATION
  CREDENTIALS_PATH    the credential route, by default /organizations/{organizationId}/iot-endpoint-and-credentials
  PASS_THROUGH_PATH   a path of a service that TOKEN may GET, by default /organizations/{organizationId}/devices

exit code: 0 accepted, 1 a response is not the promised one, 2 wrong usage
TEXT
  exit 2
}

[ $# -eq 2 ] || usage
for name in TOKEN ORGANIZATION OTHER_ORGANIZATION; do
  [ -n "${!name:-}" ] || { echo "error: $name is not set" >&2; usage; }
done
url=${1%/}
management=${2%/}
[[ $url =~ ^https://|^http://(localhost|127\.0\.0\.1|\[::1\])(:|$) ]] || { echo "error: URL is neither https nor on this machine" >&2; usage; }

placeholder='{organizationId}'
credentials_path=${CREDENTIALS_PATH:-/organizations/$placeholder/iot-endpoint-and-credentials}
own=${credentials_path//"$placeholder"/$ORGANIZATION}
other=${credentials_path//"$placeholder"/$OTHER_ORGANIZATION}
pass_through=${PASS_THROUGH_PATH:-/organizations/$placeholder/devices}
pass_through=${pass_through//"$placeholder"/$ORGANIZATION}

failures=0
status='' headers='' body=''

# Sends a request. Sets status (000 without a response), headers and body.
request() {
  local response
  response=$(curl --silent --include --suppress-connect-headers --max-time 30 --write-out '\n%{http_code}' "$@" | tr -d '\r')
  status=${response##*$'\n'}
  response=${response%$'\n'*}
  headers=${response%%$'\n\n'*}
  body=${response#*$'\n\n'}
}

# The same with the token, which curl reads from a file: no one sees it in the list of processes.
request_with_token() {
  request --header @<(printf 'Authorization: Bearer %s\n' "$TOKEN") "$@"
}

# Reports one check, and for a failure what came instead. A body is shown only if it is an error's: others may hold credentials.
report() {
  local ok=$1 check=$2
  if [ "$ok" = 0 ]; then
    printf 'ok    %s\n' "$check"
    return
  fi
  failures=$((failures + 1))
  local got="status $status"
  [ "$status" = 000 ] && got="no response"
  [[ $body == '{"error":'* ]] && got="$got, ${body:0:300}"
  printf 'FAIL  %s: got %s\n' "$check" "$got"
}

has_header() { grep --quiet --ignore-case --extended-regexp "^$1\$" <<<"$headers"; }

# An error response of the gateway itself: its status and the name in its body.
is_error() { [[ $status == "$1" && $body == "{\"error\":\"$2\",\"message\":"* ]]; }

request "$management/health/live"
[ "$status" = 200 ]
report $? "management: /health/live is 200"

request --header 'Accept: application/json' "$management/health/ready"
[[ $status == 200 && $body == '{"status":"'*'"checks":'* ]]
report $? "management: /health/ready is 200, in JSON"
[[ $status == 200 && $body == '{"status":"Healthy"'* ]]
report $? "management: /health/ready is Healthy (if not, its JSON says which check and why)"

request "$url$own"
is_error 401 Unauthenticated && has_header 'WWW-Authenticate: Bearer.*'
report $? "credentials without a token: 401"

request --header 'Authorization: Bearer none' "$url$own"
is_error 401 Unauthenticated
report $? "credentials with a token that is none: 401"

request_with_token "$url$own"
[[ $status == 200 && $body == '{"data":{"awsRegion":"'*'"iotEndpoint":"'*'"credentials":{'* ]] \
  && [[ $body == *'"accessKeyId":"'*'"secretAccessKey":"'*'"sessionToken":"'*'"expiration":"'* ]]
report $? "credentials of $ORGANIZATION: 200, with region, endpoint and credentials"
has_header 'Cache-Control: no-store.*'
report $? "credentials of $ORGANIZATION: no-store"

request_with_token "$url$other"
is_error 403 Forbidden
report $? "credentials of $OTHER_ORGANIZATION, of which the caller is no member: 403"

request_with_token --request POST --data '' "$url$own"
is_error 405 MethodNotAllowed && has_header 'Allow: GET'
report $? "POST for credentials: 405, Allow: GET"

request_with_token "$url$pass_through"
[[ $status == 2?? ]]
report $? "the service behind $pass_through: 2xx"

request "$url$pass_through"
is_error 401 Unauthenticated
report $? "the service behind $pass_through without a token: 401"

for path in /health/live /health/ready /metrics; do
  request_with_token "$url$path"
  is_error 404 NotFound
  report $? "$path of management is not on the public port: 404"
done

request "$management$own"
[[ $status == 404 || $status == 401 ]]
report $? "the public routes are not on the management port: 404"

if [ "$failures" -gt 0 ]; then
  echo "not accepted: $failures failed"
  exit 1
fi
echo "accepted"
