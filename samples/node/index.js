// Follows an organization's devices: prints their messages and publishes one of its own, until it is interrupted or may no longer connect.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import mqtt from 'mqtt';
import { backoff, CredentialSource, Stopped } from './credentials.js';
import { signedAddress } from './signature.js';

const { GATEWAY_URL: gateway, ORGANIZATION_ID: organization, TOKEN_FILE: tokenFile } = process.env;
// The AWS SDK's own variable, for the sandbox. At AWS the gateway names the endpoint.
const broker = process.env.AWS_ENDPOINT_URL_IOT_DATA_PLANE?.replace(/^http/, 'ws');
if (!gateway || !organization || !tokenFile) {
  console.error('usage: GATEWAY_URL=https://… ORGANIZATION_ID=… TOKEN_FILE=… node index.js');
  process.exit(2);
}

for (const address of [gateway, process.env.AWS_ENDPOINT_URL_IOT_DATA_PLANE]) {
  if (!address || /^https:\/\/|^http:\/\/(127\.0\.0\.1|localhost)(:|\/|$)/.test(address)) continue;
  console.error(`${address}: only https takes a token or credentials off this machine`);
  process.exit(2);
}

const source = new CredentialSource({ gateway, organization, tokenFile });
// One connection per client id: a second one with the same id ends the first, so that each process has an id of its own.
const clientId = `${organization}-web-${randomUUID().slice(0, 8)}`;

async function connect(credentials) {
  const client = mqtt.connect(signedAddress(broker ?? `wss://${credentials.iotEndpoint}`, credentials, source.now()), {
    clientId,
    keepalive: 60,
    // A signature is good for minutes, and these credentials may have been replaced: the loop below signs each connection.
    reconnectPeriod: 0,
    connectTimeout: 15_000,
  });
  client.on('message', (topic, payload) => console.log(`${topic} ${payload}`));
  // An error also ends the attempt or closes the connection, and the loop sees that.
  client.on('error', () => {});
  try {
    await Promise.race([once(client, 'connect'), once(client, 'close').then(() => Promise.reject(new Error('closed')))]);
    await client.subscribeAsync(`${organization}/#`);
    await client.publishAsync(`${organization}/web/${clientId}`, JSON.stringify({ hello: new Date(source.now()).toISOString() }));
    console.log(`connected as ${clientId}`);
    return client;
  } catch (error) {
    client.end(true);
    const subscribeRefused = 128;
    if (error.code === subscribeRefused) throw new Stopped(`the session policy does not allow to subscribe to ${organization}/#`);
    throw error;
  }
}

async function follow() {
  let client = null;
  let inUse = null;
  let openedAt = 0;
  let failures = 0;
  for (;;) {
    const credentials = await source.get();
    if (!client?.connected || credentials !== inUse) {
      try {
        client?.end(true);
        client = await connect(credentials);
        inUse = credentials;
        openedAt = performance.now();
      } catch (error) {
        if (error instanceof Stopped) throw error;
        source.expire();
        await wait(error.message);
        continue;
      }
    }

    // A second at a time: a timer until the refresh would be late by as long as the machine has slept.
    await sleep(1000);
    if (client.connected) {
      if (performance.now() - openedAt > 60_000) failures = 0;
    } else {
      await wait('the connection is lost');
    }
  }

  async function wait(reason) {
    const milliseconds = backoff(failures++);
    console.log(`reconnecting in ${Math.ceil(milliseconds / 1000)} s: ${reason}`);
    await sleep(milliseconds);
  }
}

try {
  await follow();
} catch (error) {
  console.error(`stopped: ${error.message}`);
  process.exit(1);
}
