"""Fetches an organization's credentials from the gateway, and keeps them until a refresh is due. Standard library only."""

import hashlib
import http.client
import json
import logging
import random
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

log = logging.getLogger("credentials")


# By more than this, two clocks do not drift apart in the life of a session.
MOST_DRIFT = 30
# A longer one is a fault of the server, and more than a thread can sleep.
LONGEST_RETRY_AFTER = 24 * 60 * 60


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

    @staticmethod
    def read(data):
        """Raises an error if any member is missing, or is not what it should be."""
        given = data["credentials"]
        members = (
            data["awsRegion"],
            data["iotEndpoint"],
            given["accessKeyId"],
            given["secretAccessKey"],
            given["sessionToken"],
            given["expiration"],
        )
        if not all(isinstance(member, str) for member in members):
            raise TypeError
        credentials = Credentials(*members)
        # A date that cannot be read is an error here, not later.
        _ = credentials.expires
        return credentials

    @property
    def expires(self):
        return datetime.fromisoformat(self.expiration.replace("Z", "+00:00")).timestamp()


@dataclass(frozen=True)
class Refusal:
    """The request that is not sent again, as a hash, and why."""

    request: str
    reason: str

    @staticmethod
    def hash(address, token):
        return hashlib.sha256(f"{address} {token}".encode()).hexdigest()


def backoff(failures):
    """At random up to a limit that doubles with each failure, so that clients which failed together do not return together."""
    return random.uniform(0, min(60, 2 ** min(failures, 6)))


def is_loopback(address):
    return urllib.parse.urlsplit(address).hostname in ("127.0.0.1", "localhost", "::1")


class _Elapsed:
    """The time since a moment, by two clocks: one is set, the other stands still while the machine sleeps."""

    def __init__(self):
        self._wall, self._steady = time.time(), time.monotonic()

    @property
    def time(self):
        """The later one: it is right after sleep, and after the clock was set back."""
        return max(time.time() - self._wall, time.monotonic() - self._steady)

    @property
    def is_uncertain(self):
        """Whether the machine has slept, or its clock was set. Nobody can tell which."""
        return abs(time.time() - self._wall - (time.monotonic() - self._steady)) > MOST_DRIFT


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """urllib would send the token on to wherever a redirect leads."""

    def redirect_request(self, *_):
        return None


def opener(address):
    # A proxy has no business between this machine and itself.
    proxies = urllib.request.ProxyHandler({}) if is_loopback(address) else urllib.request.ProxyHandler()
    return urllib.request.build_opener(_NoRedirect, proxies)


class CredentialSource:
    """Threads may share it: one request is under way at most."""

    def __init__(self, gateway, organization, token_file):
        self._address = f"{gateway}/organizations/{urllib.parse.quote(organization, safe='')}/iot-endpoint-and-credentials"
        self._token_file = token_file
        self._opener = opener(gateway)
        # One value, because the thread that fetches replaces it.
        self._told = time.time(), _Elapsed()
        self._lock = threading.Lock()
        self._idle = threading.Event()
        self._idle.set()
        self._current = None
        self._refresh_at = 0.0
        self._retry_at = 0.0
        self._failures = 0
        self.refusal = None

    def now(self):
        """The time by the gateway's clock. This machine's own may be minutes off, or be set, and AWS refuses such signatures."""
        date, elapsed = self._told
        return date + elapsed.time

    def expires_here(self, credentials):
        """When they expire by this machine's clock, with which an AWS SDK compares it."""
        expires = datetime.fromtimestamp(time.time() + credentials.expires - self.now(), timezone.utc)
        return expires.strftime("%Y-%m-%dT%H:%M:%SZ")

    def expire(self):
        """Makes the next get() fetch, because AWS has refused what is at hand."""
        self._refresh_at = 0.0

    def get(self, patience=float("inf")):
        """
        Valid credentials: those at hand, also while a refresh is due, under way or failing. Without any, or if they are in doubt, it waits for the gateway.
        Once stopped, it stays so.
        """
        deadline = time.monotonic() + patience
        while True:
            self._fetch_if_due()
            if not self._is_certain():
                self._idle.wait(min(deadline - time.monotonic(), threading.TIMEOUT_MAX))
            current = self._current
            if current and self.now() < current.expires:
                return current
            if max(self._retry_at, time.monotonic()) >= deadline:
                raise Unavailable("the gateway has no credentials at the moment")
            time.sleep(max(0.0, self._retry_at - time.monotonic()))

    def _is_certain(self):
        """Whether the credentials at hand are valid, as far as anyone knows: AWS has not refused them, and the time is certain."""
        current = self._current
        return current and self.now() < current.expires and self._refresh_at and not self._told[1].is_uncertain

    def _fetch_if_due(self):
        """Begins to fetch, unless that is under way."""
        with self._lock:
            # The gateway's response tells the time again.
            is_due = self.now() >= self._refresh_at or self._told[1].is_uncertain
            if not is_due or not self._idle.is_set() or time.monotonic() < self._retry_at:
                return
            token = self._read_token()
            if not token:
                self._retry(f"{self._token_file} is empty")
                return
            # The error of a header that HTTP cannot carry would quote the token.
            if not re.fullmatch("[!-~]+", token):
                raise Stopped(f"{self._token_file} holds no token: a token is one line of printable ASCII")
            asked = Refusal.hash(self._address, token)
            # The same request gets the same response. Another token is another request.
            if self.refusal and asked == self.refusal.request:
                raise Stopped(self.refusal.reason)
            self._idle.clear()
            threading.Thread(target=self._fetch, args=(token, asked), daemon=True).start()

    def _fetch(self, token, asked):
        try:
            self._take(asked, *self._request(token))
        # The connection failed or took too long.
        except (OSError, http.client.HTTPException):
            self._retry("the gateway cannot be reached")
        # The response is not the gateway's.
        except (ArithmeticError, LookupError, TypeError, ValueError):
            self._retry("200 without valid credentials")
        finally:
            self._idle.set()

    def _take(self, asked, status, headers, body):
        # Whatever the clocks say, one request a second at most.
        self._retry_at = time.monotonic() + 1
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            content = None
        # A load balancer's error, or a hotel's page, is no JSON, or not the gateway's.
        if not isinstance(content, dict):
            content = {}
        if status == 200:
            date = parsedate_to_datetime(headers["Date"]).timestamp() if headers["Date"] else time.time()
            credentials = Credentials.read(content["data"])
            if credentials.expires <= date:
                raise ValueError
            # From no other response, which may be another server's, with a clock of its own.
            self._told = date, _Elapsed()
            self._keep(credentials)
            return
        error, message = content.get("error"), content.get("message")
        reason = f"{status} {error if isinstance(error, str) else 'without a reason'}"
        if status == 401:
            self._refuse(asked, f"{reason}: sign in again, and write the new token to {self._token_file}")
        elif status == 403:
            self._refuse(asked, f"{reason}: this token's user may not connect to this organization")
        elif 300 <= status < 500 and status != 429:
            self._refuse(asked, f"{reason}: {message}" if isinstance(message, str) else reason)
        else:
            self._retry(reason, headers["Retry-After"] or "")

    def _read_token(self):
        # Each time, because the program that signs in for this one replaces the token before it expires.
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

    def _keep(self, credentials):
        self._current = credentials
        ahead = min(600, (credentials.expires - self.now()) / 2)
        self._refresh_at = credentials.expires - ahead * random.uniform(0.5, 1)
        self._failures = 0
        log.info("credentials until %s", credentials.expiration)

    def _refuse(self, request, reason):
        """Leaves it to the next look at the token to stop."""
        self.refusal = Refusal(request, reason)
        self._current = None
        self._refresh_at = self._retry_at = 0.0

    def _retry(self, reason, retry_after=""):
        seconds = int(retry_after) if re.fullmatch("[0-9]{1,9}", retry_after) else 0
        wait = min(seconds, LONGEST_RETRY_AFTER) + backoff(self._failures)
        self._failures += 1
        self._retry_at = time.monotonic() + wait
        log.warning("waiting %.1f s: %s", wait, reason)
