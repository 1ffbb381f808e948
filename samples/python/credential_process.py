"""Prints the gateway's credentials as AWS's credential_process wants them, for the AWS CLI and any AWS SDK."""

import json
import sys

from credentials import Stopped, Unavailable
from settings import SOURCE

if __name__ == "__main__":
    try:
        credentials = SOURCE.get(patience=20)
    except (Stopped, Unavailable) as failed:
        sys.exit(str(failed))
    json.dump(
        {
            "Version": 1,
            "AccessKeyId": credentials.access_key_id,
            "SecretAccessKey": credentials.secret_access_key,
            "SessionToken": credentials.session_token,
            "Expiration": credentials.expiration,
        },
        sys.stdout,
    )
