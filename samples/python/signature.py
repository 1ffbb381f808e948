"""Signature Version 4, as AWS IoT's data endpoint takes it. Standard library only."""

import hashlib
import hmac
import time
from urllib.parse import quote, urlsplit


def signed_path(broker, credentials, now):
    """The path and query of a WebSocket to the broker, good for one connection within the next minutes."""
    stamp, scope = _stamp_and_scope(now, credentials, "iotdevicegateway")
    query = "&".join([
        "X-Amz-Algorithm=AWS4-HMAC-SHA256",
        f"X-Amz-Credential={quote(f'{credentials.access_key_id}/{scope}', safe='')}",
        f"X-Amz-Date={stamp}",
        "X-Amz-SignedHeaders=host",
    ])
    request = ["GET", "/mqtt", query, f"host:{urlsplit(broker).netloc}\n", "host", _sha256(b"")]
    signature = _sign(request, stamp, scope, credentials)
    # AWS IoT takes the session token unsigned, after the signature. Signed, as other services want it, it would be refused.
    return f"/mqtt?{query}&X-Amz-Signature={signature}&X-Amz-Security-Token={quote(credentials.session_token, safe='')}"


def signed_headers(method, address, body, credentials, now):
    """The headers of an HTTPS request to the data endpoint. The address has no query, or one whose names are in order."""
    url = urlsplit(address)
    stamp, scope = _stamp_and_scope(now, credentials, "iotdata")
    headers = {"host": url.netloc, "x-amz-date": stamp, "x-amz-security-token": credentials.session_token}
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    # The path is signed as sent, encoded once more.
    request = [method, quote(url.path), url.query, lines, names, _sha256(body)]
    signature = _sign(request, stamp, scope, credentials)
    headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={credentials.access_key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return headers


def _stamp_and_scope(now, credentials, service):
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    return stamp, f"{stamp[:8]}/{credentials.aws_region}/{service}/aws4_request"


def _sign(request, stamp, scope, credentials):
    key = f"AWS4{credentials.secret_access_key}".encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    return _hmac(key, "\n".join(["AWS4-HMAC-SHA256", stamp, scope, _sha256("\n".join(request).encode())])).hex()


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _sha256(data):
    return hashlib.sha256(data).hexdigest()
