"""Follows an organization's devices: prints their messages and publishes one of its own. Needs paho-mqtt, 1.6 or 2."""

import json
import logging
import sys
import time
import uuid
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt

from credentials import Stopped, backoff
from settings import ORGANIZATION, SOURCE, data_endpoint
from signature import signed_path

log = logging.getLogger("follow")

# One connection per client id: a second one with the same id ends the first, so that each process has an id of its own.
CLIENT_ID = f"{ORGANIZATION}-web-{uuid.uuid4().hex[:8]}"


def on_connect(client, _userdata, _flags, code):
    if code == 0:
        client.subscribe(f"{ORGANIZATION}/#")


def on_subscribe(client, _userdata, _message_id, granted):
    if granted[0] >= 128:
        raise Stopped(f"the session policy does not allow to subscribe to {ORGANIZATION}/#")
    client.publish(f"{ORGANIZATION}/web/{CLIENT_ID}", json.dumps({"hello": time.strftime("%H:%M:%S")}))
    log.info("connected as %s", CLIENT_ID)


def on_message(_client, _userdata, message):
    log.info("%s %s", message.topic, message.payload.decode(errors="replace"))


def connect(credentials):
    # paho-mqtt 2 asks which form of callbacks is meant; 1.6 has one.
    version = {"callback_api_version": mqtt.CallbackAPIVersion.VERSION1} if hasattr(mqtt, "CallbackAPIVersion") else {}
    client = mqtt.Client(client_id=CLIENT_ID, transport="websockets", **version)
    client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
    endpoint = urlsplit(data_endpoint(credentials))
    # paho would add the port to the host, which the signature covers.
    client.ws_set_options(path=signed_path(endpoint.geturl(), credentials, SOURCE.now()), headers={"Host": endpoint.netloc})
    if endpoint.scheme == "https":
        client.tls_set()
    client.connect(endpoint.hostname, endpoint.port or 443, keepalive=60)
    return client


def follow():
    client = in_use = None
    opened_at = failures = 0
    while True:
        credentials = SOURCE.get()
        try:
            if credentials is not in_use:
                if client:
                    client.disconnect()
                # A signature is good for minutes, and these credentials may have been replaced: each connection is signed here, and paho reconnects none.
                client, in_use, opened_at = connect(credentials), credentials, time.monotonic()
            # A second at a time: a timer until the refresh would be late by as long as the machine has slept.
            code = client.loop(timeout=1.0)
            if code == mqtt.MQTT_ERR_SUCCESS:
                continue
            reason = mqtt.error_string(code)
        except (OSError, ValueError) as error:
            reason = str(error)

        if in_use is credentials and time.monotonic() - opened_at > 60:
            failures = 0
        else:
            SOURCE.expire()
        in_use = None
        wait = backoff(failures)
        failures += 1
        log.warning("reconnecting in %.1f s: %s", wait, reason)
        time.sleep(wait)


if __name__ == "__main__":
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
    try:
        follow()
    except Stopped as stopped:
        sys.exit(f"stopped: {stopped}")
    except KeyboardInterrupt:
        pass
