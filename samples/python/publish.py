"""Publishes one message by HTTPS, without MQTT: python3 publish.py TOPIC MESSAGE"""

import sys
import urllib.error
import urllib.request
from urllib.parse import quote

from credentials import Stopped, Unavailable, opener
from settings import SOURCE, data_endpoint
from signature import signed_headers


def publish(topic, message):
    credentials = SOURCE.get(patience=60)
    address = f"{data_endpoint(credentials)}/topics/{quote(topic, safe='')}?qos=1"
    body = message.encode()
    headers = signed_headers("POST", address, body, credentials, SOURCE.now())
    opener(address).open(urllib.request.Request(address, body, headers), timeout=15).close()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {__doc__}")
    try:
        publish(sys.argv[1], sys.argv[2])
    except (Stopped, Unavailable, urllib.error.URLError) as failed:
        sys.exit(f"not published: {failed}")
