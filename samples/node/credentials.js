import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const second = 1000;
const minute = 60 * second;
// By more than this, two clocks do not drift apart in the life of a session.
const mostDrift = 30 * second;
// A longer one is a fault of the server, and more than a timer takes.
const longestRetryAfter = 24 * 60 * minute;

/** The request cannot succeed until someone changes something: a token, a membership, this program. */
export class Stopped extends Error {}

/** At random up to a limit that doubles with each failure, so that clients which failed together do not return together. */
export const backoff = failures => Math.random() * Math.min(minute, second * 2 ** failures);

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

const isText = value => typeof value === 'string';

/** The credentials in a body; null if any of their members is missing, or is no text. */
function read(body) {
  const { awsRegion, iotEndpoint, credentials } = body?.data ?? {};
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = credentials ?? {};
  if (![awsRegion, iotEndpoint, accessKeyId, secretAccessKey, sessionToken, expiration].every(isText)) return null;
  return { awsRegion, iotEndpoint, accessKeyId, secretAccessKey, sessionToken, expiration: Date.parse(expiration) };
}

/** Fetches an organization's credentials from the gateway, and keeps them until a refresh is due. */
export class CredentialSource {
  #address;
  #tokenFile;
  #date = Date.now();
  #sinceDate = new Elapsed();
  #current = null;
  #refreshAt = 0;
  #retryAt = 0;
  #failures = 0;
  #refused = null;

  constructor({ gateway, organization, tokenFile }) {
    this.#address = `${gateway}/organizations/${encodeURIComponent(organization)}/iot-endpoint-and-credentials`;
    this.#tokenFile = tokenFile;
  }

  /** The time by the gateway's clock. This machine's own may be minutes off, or be set, and AWS refuses such signatures. */
  now() {
    return this.#date + this.#sinceDate.time;
  }

  /** Makes the next get() fetch, because AWS has refused what is at hand. */
  expire() {
    this.#refreshAt = 0;
  }

  /** Valid credentials: those at hand until a refresh is due, and while a refresh fails. Without any, it waits. Once stopped, it stays so. */
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
    // Read each time, because the program that signs in for this one replaces the token before it expires.
    const token = (await readFile(this.#tokenFile, 'utf8')).trim();
    if (!token) return this.#retry(`${this.#tokenFile} is empty`);
    // The same request gets the same response. Another token is another request.
    if (token === this.#refused?.token) throw this.#refused.error;
    // The error of a header that HTTP cannot carry would quote the token.
    if (!/^[!-~]+$/.test(token)) throw new Stopped(`${this.#tokenFile} holds no token: a token is one line of printable ASCII`);
    const request = new Request(this.#address, { headers: { authorization: `Bearer ${token}` }, redirect: 'manual' });
    let response, body;
    try {
      response = await fetch(request, { signal: AbortSignal.timeout(15 * second) });
      // A load balancer's error is no JSON.
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
    if (response.status === 401) this.#stop(token, `${reason}: sign in again, and write the new token to ${this.#tokenFile}`);
    if (response.status === 403) this.#stop(token, `${reason}: this token's user may not connect to this organization`);
    if (response.status < 500 && response.status !== 429) this.#stop(token, isText(body?.message) ? `${reason}: ${body.message}` : reason);
    this.#retry(reason, response.headers.get('retry-after'));
  }

  #keep(credentials) {
    const ahead = Math.min(10 * minute, (credentials.expiration - this.now()) / 2);
    this.#refreshAt = credentials.expiration - ahead * (0.5 + Math.random() / 2);
    this.#failures = 0;
    this.#current = credentials;
    console.log(`credentials until ${new Date(credentials.expiration).toISOString()}`);
  }

  #stop(token, reason) {
    this.#refused = { token, error: new Stopped(reason) };
    this.#current = null;
    this.#refreshAt = 0;
    throw this.#refused.error;
  }

  #retry(reason, retryAfter = null) {
    const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : 0;
    const wait = Math.min(seconds * second, longestRetryAfter) + backoff(this.#failures++);
    this.#retryAt = performance.now() + wait;
    console.log(`waiting ${Math.ceil(wait / second)} s: ${reason}`);
  }
}
