"""Fetches an organization's credentials from the gateway, and keeps them until a refresh is due. Standard library only."""

import http.client
import json
import logging
import random
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

log = logging.getLogger("credentials")


class Stopped(Exception):
    """The request cannot succeed until someone changes something: a token, a membership, this program."""


class Unavailable(Exception):
    """No credentials within the time that the caller had."""


@dataclass(frozen=True)
class Credentials:
    aws_region: str
    iot_endpoint: str
    access_key_id: str
    secret_access_key: str
    session_token: str
    expiration: str

    @property
    def expires(self):
        return datetime.fromisoformat(self.expiration.replace("Z", "+00:00")).timestamp()


def backoff(failures):
    """At random up to a limit that doubles with each failure, so that clients which failed together do not return together."""
    return random.uniform(0, min(60, 2 ** min(failures, 6)))


def is_loopback(address):
    return urllib.parse.urlsplit(address).hostname in ("127.0.0.1", "localhost", "::1")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """urllib would send the token on to wherever a redirect leads."""

    def redirect_request(self, *_):
        return None


class CredentialSource:
    def __init__(self, gateway, organization, token_file):
        self._address = f"{gateway}/organizations/{urllib.parse.quote(organization, safe='')}/iot-endpoint-and-credentials"
        self._token_file = token_file
        # A proxy has no business between this machine and itself.
        proxies = urllib.request.ProxyHandler({}) if is_loopback(gateway) else urllib.request.ProxyHandler()
        self._opener = urllib.request.build_opener(_NoRedirect, proxies)
        self._clock_offset = 0.0
        self._current = None
        self._refresh_at = 0.0
        self._retry_at = 0.0
        self._failures = 0

    def now(self):
        """The time by the gateway's clock. This machine's own may be minutes off, and AWS refuses such signatures."""
        return time.time() + self._clock_offset

    def expire(self):
        """Makes the next get() fetch, because AWS has refused what is at hand."""
        self._refresh_at = 0.0

    def get(self, patience=float("inf")):
        """Valid credentials: those at hand until a refresh is due, and while a refresh fails. Without any, it waits."""
        deadline = time.monotonic() + patience
        while True:
            # Waits are measured by a clock that nobody sets, expiry by one that goes on while the machine sleeps.
            if self.now() >= self._refresh_at and time.monotonic() >= self._retry_at:
                self._fetch()
            if self._current and self.now() < self._current.expires:
                return self._current
            if self._retry_at > deadline:
                raise Unavailable("the gateway has no credentials at the moment")
            time.sleep(max(0.0, self._retry_at - time.monotonic()))

    def _fetch(self):
        token = self._read_token()
        if not token:
            self._retry(f"{self._token_file} is empty")
            return
        # The error of a header that HTTP cannot carry would quote the token.
        if not re.fullmatch("[!-~]+", token):
            raise Stopped(f"{self._token_file} holds no token: a token is one line of printable ASCII")
        try:
            status, headers, body = self._request(token)
        except (OSError, http.client.HTTPException):
            self._retry("the gateway cannot be reached")
            return

        # Whatever the clocks say, one request a second at most.
        self._retry_at = time.monotonic() + 1
        try:
            content = json.loads(body)
        except ValueError:
            # A load balancer's error is no JSON.
            content = {}
        if status == 200 and "data" in content:
            # Not from an error, which may be another server's, with a clock of its own.
            if headers["Date"]:
                self._clock_offset = parsedate_to_datetime(headers["Date"]).timestamp() - time.time()
            self._keep(content["data"])
            return
        reason = f"{status} {content.get('error', 'without a reason')}"
        if status == 401:
            raise Stopped(f"{reason}: sign in again, and write the new token to {self._token_file}")
        if status == 403:
            raise Stopped(f"{reason}: this token's user may not connect to this organization")
        if 300 <= status < 500 and status != 429:
            raise Stopped(f"{reason}: {content.get('message')}")
        retry_after = headers["Retry-After"] or ""
        self._retry(reason, int(retry_after) if retry_after.isdecimal() else 0)

    def _read_token(self):
        # Each time, because whoever signs in for this program replaces the token before it expires.
        try:
            with open(self._token_file, encoding="ascii") as file:
                return file.read().strip()
        except (OSError, ValueError) as error:
            raise Stopped(f"{self._token_file} cannot be read: {error}") from error

    def _request(self, token):
        request = urllib.request.Request(self._address, headers={"Authorization": f"Bearer {token}"})
        try:
            response = self._opener.open(request, timeout=15)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            return response.status, response.headers, response.read()

    def _keep(self, data):
        given = data["credentials"]
        self._current = Credentials(
            data["awsRegion"],
            data["iotEndpoint"],
            given["accessKeyId"],
            given["secretAccessKey"],
            given["sessionToken"],
            given["expiration"],
        )
        ahead = min(600, (self._current.expires - self.now()) / 2)
        self._refresh_at = self._current.expires - ahead * random.uniform(0.5, 1)
        self._failures = 0
        log.info("credentials until %s", given["expiration"])

    def _retry(self, reason, retry_after=0):
        wait = retry_after + backoff(self._failures)
        self._failures += 1
        self._retry_at = time.monotonic() + wait
        log.warning("waiting %.1f s: %s", wait, reason)
