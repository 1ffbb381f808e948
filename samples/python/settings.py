"""The environment that all programs of this folder read."""

import os
import sys

from credentials import CredentialSource

try:
    ORGANIZATION = os.environ["ORGANIZATION_ID"]
    SOURCE = CredentialSource(os.environ["GATEWAY_URL"], ORGANIZATION, os.environ["TOKEN_FILE"])
except KeyError as missing:
    sys.exit(f"{missing.args[0]} is not set: GATEWAY_URL=https://… ORGANIZATION_ID=… TOKEN_FILE=… python3 {sys.argv[0]}")


def data_endpoint(credentials):
    """The address of AWS IoT's data endpoint. The AWS SDK's own variable names the sandbox's."""
    return os.environ.get("AWS_ENDPOINT_URL_IOT_DATA_PLANE", f"https://{credentials.iot_endpoint}")
