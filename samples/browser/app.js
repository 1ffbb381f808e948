// Shows the messages of an organization's devices. The parts, in the order of a client's life: the gateway's clock and credentials, the signature, MQTT, and
// the loop that keeps them going. docs/clients.md says why each does what it does.

const second = 1000;
const minute = 60 * second;
// A hidden tab's timers run once a minute, so that pings may come as late as that.
const keepAlive = 120 * second;
const pingAfter = 30 * second;
const pongWithin = 15 * second;
const mostTopics = 200;
// By more than this, two clocks do not drift apart in the life of a session.
const mostDrift = 30 * second;
// A longer one is a fault of the server, and more than a timer takes.
const longestRetryAfter = 24 * 60 * minute;

/** The request cannot succeed until someone changes something: a token, a membership, this program. */
class Stopped extends Error {}

const sleep = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

/** The address, if it sends nothing in plain text off this machine. */
function kept(address) {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (!['https:', 'wss:'].includes(url?.protocol) && !['127.0.0.1', 'localhost', '[::1]'].includes(url?.hostname))
    throw new Stopped(`${address}: only https takes a token or credentials off this machine.`);
  return address;
}

/** At random up to a limit that doubles with each failure, so that clients which failed together do not return together. */
const backoff = failures => Math.random() * Math.min(minute, second * 2 ** failures);

/** The time since a moment, by two clocks: one is set, the other stands still while the machine sleeps. */
class Elapsed {
  #wall = Date.now();
  #steady = performance.now();

  /** The later one: it is right after sleep, and after the clock was set back. */
  get time() {
    return Math.max(Date.now() - this.#wall, performance.now() - this.#steady);
  }

  /** Whether the machine has slept, or its clock was set. Nobody can tell which. */
  get isUncertain() {
    return Math.abs(Date.now() - this.#wall - (performance.now() - this.#steady)) > mostDrift;
  }
}

// ---- Credentials

const isText = value => typeof value === 'string';

/** The credentials in a body; null if any of their members is missing, or is no text. */
function read(body) {
  const { awsRegion, iotEndpoint, credentials } = body?.data ?? {};
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = credentials ?? {};
  if (![awsRegion, iotEndpoint, accessKeyId, secretAccessKey, sessionToken, expiration].every(isText)) return null;
  return { awsRegion, iotEndpoint, accessKeyId, secretAccessKey, sessionToken, expiration: Date.parse(expiration) };
}

class CredentialSource {
  #settings;
  #date = Date.now();
  #sinceDate = new Elapsed();
  #current = null;
  #refreshAt = 0;
  #retryAt = 0;
  #failures = 0;
  fetches = 0;

  constructor(settings) {
    this.#settings = settings;
  }

  /** The time by the gateway's clock. A device's own clock may be minutes off, or be set, and AWS refuses such signatures. */
  now() {
    return this.#date + this.#sinceDate.time;
  }

  /** Makes the next get() fetch, because AWS has refused what is at hand. */
  expire() {
    this.#refreshAt = 0;
  }

  /** Valid credentials: those at hand until a refresh is due, and while a refresh fails. Without any, it waits. */
  async get() {
    for (;;) {
      // The gateway's response tells the time again.
      const isDue = this.now() >= this.#refreshAt || this.#sinceDate.isUncertain;
      if (isDue && performance.now() >= this.#retryAt) await this.#fetch();
      if (this.#current && this.now() < this.#current.expiration) return this.#current;
      await sleep(Math.max(0, this.#retryAt - performance.now()));
    }
  }

  async #fetch() {
    const { gateway, organization, token } = this.#settings;
    // The error of a header that HTTP cannot carry would quote the token.
    if (!/^[!-~]+$/.test(token)) throw new Stopped('this is no token: a token is one line of printable ASCII.');
    const request = new Request(`${kept(gateway)}/organizations/${encodeURIComponent(organization)}/iot-endpoint-and-credentials`, {
      headers: { authorization: `Bearer ${token}` },
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'manual',
    });
    let response, body;
    try {
      response = await fetch(request, { signal: AbortSignal.timeout(15 * second) });
      // A load balancer's error, or a hotel's page, is no JSON.
      body = await response.json().catch(() => null);
    } catch {
      return this.#retry('the gateway cannot be reached');
    }

    // Whatever the clocks say, one request a second at most.
    this.#retryAt = performance.now() + second;
    if (response.ok) {
      const date = Date.parse(response.headers.get('date') ?? '') || Date.now();
      const credentials = read(body);
      // A hotel's page may be JSON, too. A date that cannot be read is no number, and not later than any.
      if (!(credentials?.expiration > date)) return this.#retry(`${response.status} without valid credentials`);
      // From no other response, which may be another server's, with a clock of its own.
      this.#date = date;
      this.#sinceDate = new Elapsed();
      return this.#keep(credentials);
    }
    const reason = `${response.status} ${isText(body?.error) ? body.error : 'without a reason'}`;
    if (response.status === 401) throw new Stopped(`${reason}: sign in again.`);
    if (response.status === 403) throw new Stopped(`${reason}: this user may not connect to ${organization}.`);
    if (response.status < 500 && response.status !== 429) throw new Stopped(isText(body?.message) ? `${reason}: ${body.message}` : `${reason}.`);
    this.#retry(reason, response.headers.get('retry-after'));
  }

  #keep(credentials) {
    const ahead = Math.min(10 * minute, (credentials.expiration - this.now()) / 2);
    this.#refreshAt = credentials.expiration - ahead * (0.5 + Math.random() / 2);
    this.#failures = 0;
    this.fetches++;
    this.#current = credentials;
  }

  #retry(reason, retryAfter = null) {
    const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : 0;
    const wait = Math.min(seconds * second, longestRetryAfter) + backoff(this.#failures++);
    this.#retryAt = performance.now() + wait;
    tell(`Waiting ${Math.ceil(wait / second)} s: ${reason}.`);
  }
}

// ---- Signature Version 4 in the query

const utf8 = new TextEncoder();
const hex = buffer => [...new Uint8Array(buffer)].map(byte => byte.toString(16).padStart(2, '0')).join('');
const sha256 = async text => hex(await crypto.subtle.digest('SHA-256', utf8.encode(text)));

async function hmac(key, text) {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return crypto.subtle.sign('HMAC', imported, utf8.encode(text));
}

/** The address of a WebSocket to the broker, good for one connection within the next minutes. */
async function signedAddress(broker, credentials, now) {
  const address = new URL('/mqtt', broker);
  const stamp = new Date(now).toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${stamp.slice(0, 8)}/${credentials.awsRegion}/iotdevicegateway/aws4_request`;
  const query = [
    'X-Amz-Algorithm=AWS4-HMAC-SHA256',
    `X-Amz-Credential=${encodeURIComponent(`${credentials.accessKeyId}/${scope}`)}`,
    `X-Amz-Date=${stamp}`,
    'X-Amz-SignedHeaders=host',
  ].join('&');
  const request = ['GET', address.pathname, query, `host:${address.host}\n`, 'host', await sha256('')].join('\n');
  let key = utf8.encode(`AWS4${credentials.secretAccessKey}`);
  for (const part of scope.split('/')) key = await hmac(key, part);
  const signature = hex(await hmac(key, ['AWS4-HMAC-SHA256', stamp, scope, await sha256(request)].join('\n')));
  // AWS IoT takes the session token unsigned, after the signature. Signed, as other services want it, it would be refused.
  return `${address}?${query}&X-Amz-Signature=${signature}&X-Amz-Security-Token=${encodeURIComponent(credentials.sessionToken)}`;
}

// ---- MQTT 3.1.1: subscribe and publish at QoS 0

const packet = (type, ...parts) => {
  const body = parts.flatMap(part => [...part]);
  const length = [];
  let rest = body.length;
  do {
    length.push((rest % 128) | (rest > 127 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return new Uint8Array([type, ...length, ...body]);
};
const uint16 = number => [number >> 8, number & 255];
const text = value => {
  const bytes = utf8.encode(value);
  return [...uint16(bytes.length), ...bytes];
};

class MqttConnection {
  #socket;
  #received = new Uint8Array();
  #acknowledge = {};
  #onMessage;
  #sinceSent = new Elapsed();
  #sincePing = null;
  isOpen = true;
  openedAt = performance.now();

  constructor(address, onMessage) {
    this.#onMessage = onMessage;
    this.#socket = new WebSocket(address, 'mqtt');
    this.#socket.binaryType = 'arraybuffer';
    this.closed = new Promise(resolve => this.#socket.addEventListener('close', () => {
      this.isOpen = false;
      resolve();
    }));
    this.#socket.addEventListener('message', event => this.#receive(new Uint8Array(event.data)));
  }

  async connect(clientId) {
    await this.#orClosed(new Promise(resolve => this.#socket.addEventListener('open', resolve)));
    const isClean = 2;
    const [, code] = await this.#request(2, packet(0x10, text('MQTT'), [4, isClean], uint16(keepAlive / second), text(clientId)));
    if (code !== 0) throw new Error(`the broker refused the connection (${code})`);
  }

  async subscribe(filter) {
    const [, , code] = await this.#request(9, packet(0x82, uint16(1), text(filter), [0]));
    if (code > 2) throw new Stopped(`The session policy does not allow to subscribe to ${filter}.`);
  }

  publish(topic, payload) {
    this.#send(packet(0x30, text(topic), utf8.encode(payload)));
  }

  /** Called about once a second: finds out that a connection has died while the machine slept, or its network went away. */
  check() {
    if (this.#sincePing?.time > pongWithin) this.close();
    else if (!this.#sincePing && this.#sinceSent.time > pingAfter) {
      this.#sincePing = new Elapsed();
      this.#send(packet(0xc0));
    }
  }

  close() {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(packet(0xe0));
    // A dead network does not respond to the close: this end is done with it at once.
    this.isOpen = false;
    this.#socket.close();
  }

  #send(bytes) {
    this.#sinceSent = new Elapsed();
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(bytes);
  }

  #request(type, bytes) {
    const response = new Promise(resolve => this.#acknowledge[type] = resolve);
    this.#send(bytes);
    return this.#orClosed(response);
  }

  #orClosed(promise) {
    const failed = this.closed.then(() => Promise.reject(new Error('the broker closed the connection')));
    const late = sleep(pongWithin).then(() => Promise.reject(new Error('the broker does not respond')));
    return Promise.race([promise, failed, late]);
  }

  // A WebSocket message may hold a part of a packet, or several.
  #receive(bytes) {
    const received = new Uint8Array(this.#received.length + bytes.length);
    received.set(this.#received);
    received.set(bytes, this.#received.length);
    this.#received = received;
    for (;;) {
      let length = 0;
      let at = 1;
      do {
        if (at >= this.#received.length) return;
        length += (this.#received[at] & 127) * 128 ** (at - 1);
      } while (this.#received[at++] & 128);
      if (this.#received.length < at + length) return;
      const type = this.#received[0] >> 4;
      const body = this.#received.subarray(at, at + length);
      this.#received = this.#received.slice(at + length);
      if (type === 3) {
        const end = 2 + (body[0] << 8 | body[1]);
        const decoder = new TextDecoder();
        this.#onMessage(decoder.decode(body.subarray(2, end)), decoder.decode(body.subarray(end)));
      } else if (type === 13) {
        this.#sincePing = null;
      } else {
        this.#acknowledge[type]?.(body);
      }
    }
  }
}

// ---- The loop

let connection = null;
let topic = null;

async function follow(settings) {
  const { organization } = settings;
  const source = new CredentialSource(settings);
  // One connection per client id: a second one with the same id ends the first, so that each page has an id of its own.
  const clientId = `${organization}-web-${crypto.randomUUID().slice(0, 8)}`;
  topic = `${organization}/web/${clientId}`;
  show('client', clientId);
  let inUse = null;
  let failures = 0;
  for (;;) {
    const credentials = await source.get();
    show('until', new Date(credentials.expiration).toISOString());
    show('fetches', source.fetches);
    if (!connection?.isOpen || credentials !== inUse) {
      try {
        connection?.close();
        const broker = kept(settings.broker ?? `wss://${credentials.iotEndpoint}`);
        connection = new MqttConnection(await signedAddress(broker, credentials, source.now()), onMessage);
        await connection.connect(clientId);
        await connection.subscribe(`${organization}/#`);
        inUse = credentials;
        tell('Connected.');
      } catch (error) {
        connection?.close();
        if (error instanceof Stopped) throw error;
        source.expire();
        await wait(error.message);
        continue;
      }
    }

    await Promise.race([connection.closed, sleep(second)]);
    connection.check();
    if (connection.isOpen) {
      if (performance.now() - connection.openedAt > minute) failures = 0;
    } else {
      await wait('the connection is lost');
    }
  }

  async function wait(reason) {
    const milliseconds = backoff(failures++);
    tell(`Reconnecting in ${Math.ceil(milliseconds / second)} s: ${reason}.`);
    await sleep(milliseconds);
  }
}

// ---- The page

const element = id => document.getElementById(id);
const show = (id, value) => element(id).textContent = value;
const tell = message => show('status', message);
const rows = new Map();

function onMessage(name, payload) {
  let row = rows.get(name);
  if (!row) {
    if (rows.size >= mostTopics) return;
    row = element('values').insertRow();
    for (let cell = 0; cell < 3; cell++) row.insertCell();
    row.cells[0].textContent = name;
    rows.set(name, row);
  }

  row.cells[1].textContent = payload;
  row.cells[2].textContent = Number(row.cells[2].textContent) + 1;
}

async function start(settings) {
  element('sign-in').hidden = true;
  element('live').hidden = false;
  tell('Connecting.');
  try {
    await follow(settings);
  } catch (error) {
    connection?.close();
    tell(`Stopped: ${error.message}`);
    askToSignIn(settings);
  }
}

function askToSignIn(settings) {
  const form = element('sign-in');
  form.hidden = false;
  form.gateway.value = settings.gateway;
  form.organization.value = settings.organization ?? '';
  form.token.value = '';
  form.onsubmit = event => {
    event.preventDefault();
    start({ ...settings, gateway: form.gateway.value.replace(/\/$/, ''), organization: form.organization.value, token: form.token.value.trim() });
    form.token.value = '';
  };
}

element('publish').onsubmit = event => {
  event.preventDefault();
  if (connection?.isOpen) connection.publish(topic, JSON.stringify({ message: event.target.message.value, at: new Date().toISOString() }));
};

// A fragment is sent to no server. It leaves the address at once, so that no bookmark and no copied link holds the token.
const given = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
history.replaceState(null, '', location.pathname);
// Elsewhere than on the developer's machine, a link must not choose where the token and the credentials go.
if (!['127.0.0.1', 'localhost', '[::1]'].includes(location.hostname)) {
  delete given.gateway;
  delete given.broker;
}
const settings = { gateway: location.origin, ...given };
if (settings.token && settings.organization) start(settings);
else askToSignIn(settings);
