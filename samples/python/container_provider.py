"""
Serves the gateway's credentials to the AWS SDKs of this machine, in the form of their container provider. It reads the same variables as they do:
AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:PORT/credentials and AWS_CONTAINER_AUTHORIZATION_TOKEN, a secret that you make up.
"""

import hmac
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from credentials import Stopped, Unavailable
from settings import SOURCE

ADDRESS = urlsplit(os.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI", ""))
SECRET = os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")


class Handler(BaseHTTPRequestHandler):
    timeout = 10

    def do_GET(self):
        if not hmac.compare_digest(self.headers.get("Authorization", "").encode(), SECRET.encode()):
            self.respond(401, {"code": "Unauthorized", "message": "AWS_CONTAINER_AUTHORIZATION_TOKEN is another."})
            return
        if self.path != ADDRESS.path:
            self.respond(404, {"code": "NotFound", "message": "AWS_CONTAINER_CREDENTIALS_FULL_URI is another."})
            return
        try:
            credentials = SOURCE.get(patience=2)
        except Stopped as stopped:
            self.respond(403, {"code": "Stopped", "message": str(stopped)})
        except Unavailable as unavailable:
            self.respond(503, {"code": "Unavailable", "message": str(unavailable)})
        else:
            self.respond(200, {
                "AccessKeyId": credentials.access_key_id,
                "SecretAccessKey": credentials.secret_access_key,
                "Token": credentials.session_token,
                "Expiration": SOURCE.expires_here(credentials),
            })

    def respond(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    # Every process of the machine reaches a loopback address, so the secret decides.
    if ADDRESS.hostname != "127.0.0.1" or not ADDRESS.port or len(SECRET) < 32:
        sys.exit(__doc__ + "The address is on 127.0.0.1, and the secret has at least 32 characters.")
    server = ThreadingHTTPServer(("127.0.0.1", ADDRESS.port), Handler)
    print(f"serving {ADDRESS.geturl()}", flush=True)
    server.serve_forever()
