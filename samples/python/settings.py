"""The environment that all programs of this folder read."""

import os
import sys

from credentials import CredentialSource, is_loopback

try:
    ORGANIZATION = os.environ["ORGANIZATION_ID"]
    SOURCE = CredentialSource(os.environ["GATEWAY_URL"], ORGANIZATION, os.environ["TOKEN_FILE"])
except KeyError as missing:
    sys.exit(f"{missing.args[0]} is not set: GATEWAY_URL=https://… ORGANIZATION_ID=… TOKEN_FILE=… python3 {sys.argv[0]}")

for address in (os.environ["GATEWAY_URL"], os.environ.get("AWS_ENDPOINT_URL_IOT_DATA_PLANE", "https://")):
    if not address.startswith("https://") and not is_loopback(address):
        sys.exit(f"{address}: only https takes a token or credentials off this machine")


def data_endpoint(credentials):
    """The address of AWS IoT's data endpoint. The AWS SDK's own variable names the sandbox's."""
    return os.environ.get("AWS_ENDPOINT_URL_IOT_DATA_PLANE", f"https://{credentials.iot_endpoint}")
