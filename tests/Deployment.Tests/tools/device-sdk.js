// Connects AWS's device SDK to the sandbox and waits for the device's telemetry: a second opinion on the signature and on the broker.
const { auth, iot, mqtt5 } = require('aws-iot-device-sdk-v2');

const { AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_ENDPOINT_URL_IOT_DATA_PLANE, ORGANIZATION_ID } = process.env;
const endpoint = new URL(AWS_ENDPOINT_URL_IOT_DATA_PLANE);
const credentialsProvider = auth.AwsCredentialsProvider.newStatic(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN);
const config = iot.AwsIotMqtt5ClientConfigBuilder
  .newWebsocketMqttBuilderWithSigv4Auth(endpoint.hostname, { region: AWS_REGION, credentialsProvider })
  .withConnectProperties({ clientId: `${ORGANIZATION_ID}-web-sdk`, keepAliveIntervalSeconds: 60 })
  .build();
// The sandbox has no TLS.
config.port = Number(endpoint.port);
config.tlsCtx = undefined;

const client = new mqtt5.Mqtt5Client(config);
client.on('connectionFailure', ({ error }) => end(1, `not connected: ${error}`));
client.on('connectionSuccess', () => client
  .subscribe({ subscriptions: [{ topicFilter: `${ORGANIZATION_ID}/#`, qos: mqtt5.QoS.AtMostOnce }] })
  .catch(error => end(1, `not subscribed: ${error}`)));
client.on('messageReceived', ({ message }) => end(0, `${message.topicName} ${Buffer.from(message.payload)}`));
client.start();

function end(code, text) {
  console.log(text);
  process.exit(code);
}
