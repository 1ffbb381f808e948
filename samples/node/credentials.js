import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const second = 1000;
const minute = 60 * second;

/** The request cannot succeed until someone changes something: a token, a membership, this program. */
export class Stopped extends Error {}

/** At random up to a limit that doubles with each failure, so that clients which failed together do not return together. */
export const backoff = failures => Math.random() * Math.min(minute, second * 2 ** failures);

/** Fetches an organization's credentials from the gateway, and keeps them until a refresh is due. */
export class CredentialSource {
  #address;
  #tokenFile;
  #clockOffset = 0;
  #current = null;
  #refreshAt = 0;
  #retryAt = 0;
  #failures = 0;

  constructor({ gateway, organization, tokenFile }) {
    this.#address = `${gateway}/organizations/${encodeURIComponent(organization)}/iot-endpoint-and-credentials`;
    this.#tokenFile = tokenFile;
  }

  /** The time by the gateway's clock. This machine's own may be minutes off, and AWS refuses such signatures. */
  now() {
    return Date.now() + this.#clockOffset;
  }

  /** Makes the next get() fetch, because AWS has refused what is at hand. */
  expire() {
    this.#refreshAt = 0;
  }

  /** Valid credentials: those at hand until a refresh is due, and while a refresh fails. Without any, it waits. */
  async get() {
    for (;;) {
      // Waits are measured by a clock that nobody sets, expiry by one that goes on while the machine sleeps.
      if (this.now() >= this.#refreshAt && performance.now() >= this.#retryAt) await this.#fetch();
      if (this.#current && this.now() < this.#current.expiration) return this.#current;
      await sleep(Math.max(0, this.#retryAt - performance.now()));
    }
  }

  async #fetch() {
    // Read each time, because whoever signs in for this program replaces the token before it expires.
    const token = (await readFile(this.#tokenFile, 'utf8')).trim();
    if (!token) return this.#retry(`${this.#tokenFile} is empty`);
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
    const date = Date.parse(response.headers.get('date') ?? '');
    if (response.ok && body?.data) {
      // Not from an error, which may be another server's, with a clock of its own.
      if (date) this.#clockOffset = date - Date.now();
      return this.#keep(body.data);
    }
    const reason = `${response.status} ${body?.error ?? 'without a reason'}`;
    if (response.status === 401) throw new Stopped(`${reason}: sign in again, and write the new token to ${this.#tokenFile}`);
    if (response.status === 403) throw new Stopped(`${reason}: this token's user may not connect to this organization`);
    if (!response.ok && response.status < 500 && response.status !== 429) throw new Stopped(`${reason}: ${body?.message}`);
    this.#retry(reason, Number(response.headers.get('retry-after')) || 0);
  }

  #keep({ awsRegion, iotEndpoint, credentials }) {
    const expiration = Date.parse(credentials.expiration);
    const ahead = Math.min(10 * minute, (expiration - this.now()) / 2);
    this.#refreshAt = expiration - ahead * (0.5 + Math.random() / 2);
    this.#failures = 0;
    this.#current = { awsRegion, iotEndpoint, ...credentials, expiration };
    console.log(`credentials until ${credentials.expiration}`);
  }

  #retry(reason, retryAfter = 0) {
    const wait = retryAfter * second + backoff(this.#failures++);
    this.#retryAt = performance.now() + wait;
    console.log(`waiting ${Math.ceil(wait / second)} s: ${reason}`);
  }
}
