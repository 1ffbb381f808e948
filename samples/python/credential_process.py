"""Prints the gateway's credentials as AWS's credential_process wants them, for the AWS CLI and any AWS SDK."""

import dataclasses
import hashlib
import json
import os
import sys

from credentials import Refusal, Stopped, Unavailable
from settings import SOURCE

# Each request of an SDK is a process of its own. A file for each gateway, organization and token file remembers a hash of the token that was refused, and why.
FOLDER = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "iot-credentials")
FILE = os.path.join(FOLDER, hashlib.sha256(" ".join(map(os.environ.get, ("GATEWAY_URL", "ORGANIZATION_ID", "TOKEN_FILE"))).encode()).hexdigest())


def remembered():
    try:
        with open(FILE, encoding="utf-8") as file:
            return Refusal(**json.load(file))
    except (OSError, ValueError, TypeError):
        return None


def remember(refusal):
    try:
        os.makedirs(FOLDER, mode=0o700, exist_ok=True)
        with open(FILE, "w", encoding="utf-8") as file:
            json.dump(dataclasses.asdict(refusal), file)
    except OSError as error:
        print(f"the next call asks the gateway again: {error}", file=sys.stderr)


if __name__ == "__main__":
    SOURCE.refusal = remembered()
    try:
        credentials = SOURCE.get(patience=20)
    except (Stopped, Unavailable) as failed:
        if SOURCE.refusal:
            remember(SOURCE.refusal)
        sys.exit(str(failed))
    json.dump(
        {
            "Version": 1,
            "AccessKeyId": credentials.access_key_id,
            "SecretAccessKey": credentials.secret_access_key,
            "SessionToken": credentials.session_token,
            "Expiration": SOURCE.expires_here(credentials),
        },
        sys.stdout,
    )
