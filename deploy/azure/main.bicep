// The IoT API gateway on Azure Container Apps, with Azure Managed Redis in a network of their own. The configuration folder is the image's appsettings/.
targetScope = 'resourceGroup'

param location string = resourceGroup().location

@description('Begins the names of all resources; 4 to 20 lower-case letters, digits and hyphens.')
@minLength(4)
@maxLength(20)
param name string = 'iot-gateway'

@description('The image built from deploy/Containerfile, as REGISTRY/NAME:TAG.')
param image string

@description('The registry of Azure that the image comes from, such as NAME.azurecr.io. Grant the identity AcrPull there. Empty: the image is public.')
param registry string = ''

@description('The AWS role of the gateway: GatewayRoleArn of deploy/aws/roles.yaml.')
param awsRoleArn string

@description('The AWS region whose STS is asked for the session of that role.')
param awsRegion string

@description('The Application ID URI of the application whose tokens AWS accepts, such as api://APPLICATION-ID.')
param awsAudience string

@description('One base64 256-bit key a line, from: openssl rand -base64 32')
@secure()
param sealingKeys string

@description('The address space of the network.')
param addressPrefix string = '10.0.0.0/16'

@minValue(2)
param minReplicas int = 2
param maxReplicas int = 10

var shutdown = { delay: 15, timeout: 30 }
var appsSubnetPrefix = cidrSubnet(addressPrefix, 23, 0)
var secretsFolder = '/run/secrets/iot-gateway'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
}

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: name
  location: location
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
  }

  resource apps 'subnets' = {
    name: 'apps'
    properties: {
      addressPrefix: appsSubnetPrefix
      delegations: [{ name: 'apps', properties: { serviceName: 'Microsoft.App/environments' } }]
    }
  }

  resource endpoints 'subnets' = {
    name: 'endpoints'
    dependsOn: [apps]
    properties: { addressPrefix: cidrSubnet(addressPrefix, 24, 2) }
  }
}

resource redis 'Microsoft.Cache/redisEnterprise@2025-07-01' = {
  name: '${name}-${uniqueString(resourceGroup().id)}'
  location: location
  sku: { name: 'Balanced_B1' }
  properties: { minimumTlsVersion: '1.2', publicNetworkAccess: 'Disabled' }

  resource database 'databases' = {
    name: 'default'
    properties: {
      clientProtocol: 'Encrypted'
      port: 10000
      // One endpoint. Redis is a cache here: an entry that is evicted is vended again.
      clusteringPolicy: 'EnterpriseCluster'
      evictionPolicy: 'VolatileLRU'
      accessKeysAuthentication: 'Enabled'
    }
  }
}

resource redisEndpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = {
  name: '${name}-redis'
  location: location
  properties: {
    subnet: { id: network::endpoints.id }
    privateLinkServiceConnections: [
      { name: 'redis', properties: { privateLinkServiceId: redis.id, groupIds: ['redisEnterprise'] } }
    ]
  }

  resource zones 'privateDnsZoneGroups' = {
    name: 'default'
    properties: { privateDnsZoneConfigs: [{ name: 'redis', properties: { privateDnsZoneId: redisZone.id } }] }
  }
}

resource redisZone 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: 'privatelink.redis.azure.net'
  location: 'global'

  resource link 'virtualNetworkLinks' = {
    name: name
    location: 'global'
    properties: { registrationEnabled: false, virtualNetwork: { id: network.id } }
  }
}

resource logs 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: name
  location: location
  properties: { sku: { name: 'PerGB2018' }, retentionInDays: 30 }
}

resource environment 'Microsoft.App/managedEnvironments@2025-01-01' = {
  name: name
  location: location
  properties: {
    vnetConfiguration: { infrastructureSubnetId: network::apps.id }
    workloadProfiles: [{ name: 'Consumption', workloadProfileType: 'Consumption' }]
    appLogsConfiguration: {
      destination: 'log-analytics'
      logAnalyticsConfiguration: { customerId: logs.properties.customerId, sharedKey: logs.listKeys().primarySharedKey }
    }
  }
}

resource gateway 'Microsoft.App/containerApps@2025-01-01' = {
  name: name
  location: location
  dependsOn: [redisEndpoint::zones, redisZone::link]
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identity.id}': {} } }
  properties: {
    environmentId: environment.id
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      // Port 9090, management, is in no ingress.
      ingress: { external: true, targetPort: 8080, transport: 'auto', allowInsecure: false }
      registries: empty(registry) ? [] : [{ server: registry, identity: identity.id }]
      secrets: [
        { name: 'sealing-keys', value: sealingKeys }
        {
          name: 'redis'
          value: '${redis.properties.hostName}:10000,ssl=true,password=${redis::database.listKeys().primaryKey}'
        }
      ]
    }
    template: {
      terminationGracePeriodSeconds: shutdown.delay + shutdown.timeout + 5
      scale: {
        minReplicas: minReplicas
        maxReplicas: maxReplicas
        rules: [{ name: 'requests', http: { metadata: { concurrentRequests: '100' } } }]
      }
      volumes: [
        { name: 'secrets', storageType: 'Secret', secrets: [{ secretRef: 'sealing-keys', path: 'sealing-keys' }] }
      ]
      containers: [
        {
          name: 'gateway'
          image: image
          resources: { cpu: json('0.5'), memory: '1Gi' }
          env: [
            { name: 'Urls', value: 'http://*:8080' }
            { name: 'Management__Url', value: 'http://*:9090' }
            { name: 'Shutdown__Delay', value: '00:00:${shutdown.delay}' }
            { name: 'Shutdown__Timeout', value: '00:00:${shutdown.timeout}' }
            // The ingress connects from an address that environments with workload profiles reserve, or from the subnet. If it is not trusted, all clients
            // count as a few addresses.
            { name: 'Edge__TrustedProxies__0', value: appsSubnetPrefix }
            { name: 'Edge__TrustedProxies__1', value: '100.100.0.0/17' }
            { name: 'ConnectionStrings__Redis', secretRef: 'redis' }
            { name: 'Sealing__KeyPath', value: '${secretsFolder}/sealing-keys' }
            { name: 'AWS_REGION', value: awsRegion }
            { name: 'IotCredentials__AwsIdentity__Source', value: 'Azure' }
            { name: 'IotCredentials__AwsIdentity__RoleArn', value: awsRoleArn }
            { name: 'IotCredentials__AwsIdentity__Audience', value: awsAudience }
            { name: 'IotCredentials__AwsIdentity__ClientId', value: identity.properties.clientId }
          ]
          volumeMounts: [{ volumeName: 'secrets', mountPath: secretsFolder }]
          probes: [
            { type: 'Startup', httpGet: { path: '/health/live', port: 9090 }, periodSeconds: 1, failureThreshold: 60 }
            { type: 'Liveness', httpGet: { path: '/health/live', port: 9090 }, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 }
            { type: 'Readiness', httpGet: { path: '/health/ready', port: 9090 }, periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 2 }
          ]
        }
      ]
    }
  }
}

@description('Issuer of deploy/aws/roles.yaml, if the application issues version 1 tokens.')
output awsIssuer string = 'sts.windows.net/${tenant().tenantId}/'

@description('Subject of deploy/aws/roles.yaml.')
output awsSubject string = identity.properties.principalId

output url string = 'https://${gateway.properties.configuration.ingress.fqdn}'
