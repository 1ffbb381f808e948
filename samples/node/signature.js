import { createHash, createHmac } from 'node:crypto';

const sha256 = text => createHash('sha256').update(text).digest('hex');
const hmac = (key, text) => createHmac('sha256', key).update(text).digest();

/** The address of a WebSocket to the broker, with Signature Version 4 in its query: good for one connection within the next minutes. */
export function signedAddress(broker, credentials, now) {
  const address = new URL('/mqtt', broker);
  const stamp = new Date(now).toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${stamp.slice(0, 8)}/${credentials.awsRegion}/iotdevicegateway/aws4_request`;
  const query = [
    'X-Amz-Algorithm=AWS4-HMAC-SHA256',
    `X-Amz-Credential=${encodeURIComponent(`${credentials.accessKeyId}/${scope}`)}`,
    `X-Amz-Date=${stamp}`,
    'X-Amz-SignedHeaders=host',
  ].join('&');
  const request = ['GET', address.pathname, query, `host:${address.host}\n`, 'host', sha256('')].join('\n');
  const key = scope.split('/').reduce(hmac, `AWS4${credentials.secretAccessKey}`);
  const signature = hmac(key, ['AWS4-HMAC-SHA256', stamp, scope, sha256(request)].join('\n')).toString('hex');
  // AWS IoT takes the session token unsigned, after the signature. Signed, as other services want it, it would be refused.
  return `${address}?${query}&X-Amz-Signature=${signature}&X-Amz-Security-Token=${encodeURIComponent(credentials.sessionToken)}`;
}
