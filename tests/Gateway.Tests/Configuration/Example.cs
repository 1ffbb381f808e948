namespace Gateway.Tests.Configuration;

/// <summary>The documentation's example, with every section.</summary>
internal static class Example
{
    public const string Json = """
        {
          "Urls": "http://localhost:8080",                      // the public edge; with Kestrel:Endpoints set, an error to give both
          "Management": {                                       // health, metrics, operators' actions
            "Url": "http://localhost:9090",
            "AuthorizationPolicy": null
          },
          "ConnectionStrings": { "Redis": "localhost:6379" },   // absent: in-process cache only, and start-up says so
          "Sealing": { "KeyPath": "sealing-keys" },

          "Authentication": {
            "Schemes": {
              "Platform": {
                "Authority": "https://id.example.com",          // OpenID discovery; keys rotate by themselves
                "ValidAudiences": ["api://gateway"],            // required
                "ValidIssuers": [],                             // default: Authority. One issuer in two schemes is an error
                "RequireHttpsMetadata": true,
                "AcceptIdTokens": false,
                "Organizations": { "Claim": "organizations", "Format": "Array", "Only": null },
                "RoleClaim": "roles", "ScopeClaim": "scope"
              }
            }
          },
          "AzureAd": { "Instance": "https://login.microsoftonline.com/", "TenantId": "11111111-1111-1111-1111-111111111111",
            "ClientId": "22222222-2222-2222-2222-222222222222" },

          "Authorization": { "Policies": {
              "OrganizationMember": { "RequireOrganization": true },
              "IotOperator": { "RequireOrganization": true, "Scopes": ["iot.connect"], "Roles": ["operator"] }
          } },

          "RateLimiting": { "Policies": {
            "PerOrganization": { "Algorithm": "TokenBucket", "PartitionBy": "Organization", "PermitLimit": 50, "Window": "00:00:01", "Store": "Local" } } },
          "Cors": { "Policies": { "Web": { "Origins": ["https://app.example.com"], "Methods": ["GET"], "Headers": ["authorization"] } } },
          "Edge": { "Methods": ["GET","HEAD","POST","PUT","PATCH","DELETE","OPTIONS"], "TrustedProxies": [],
            "FailedAuthentications": { "PermitLimit": 100, "Window": "00:01:00" } },
          "Shutdown": { "Delay": "00:00:00", "Timeout": "00:00:30" },

          "IotCredentials": {
            "OrganizationId": { "Prefix": "", "Characters": "A-Za-z0-9_-" },
            "Timeout": "00:00:05",                              // the longest a caller waits for a vend
            "Cache": { "KeyPrefix": "iotcredentials:", "MaxEntries": 100000 },
            "Sts": { "PermitsPerSecond": 100, "MaxConcurrent": 50 },   // what this replica may ask of STS
            "Profiles": {
              "default": {
                "RoleArn": "arn:aws:iam::111122223333:role/iot-organization",
                "Region": "ap-northeast-1",
                "IotEndpoint": null,                            // null: asked of AWS IoT (iot:Data-ATS), cached per account and region
                "EndpointRoleArn": null,
                "SessionDuration": "01:00:00",                  // 15 min to 12 h
                "MinimumLifetime": "00:15:00",                  // what every caller is promised
                "RefreshAfter": "00:30:00",                     // age at which a refresh starts behind the callers
                "SessionPolicy": "policies/organization.json",  // template, relative to the configuration folder; required
                "SessionTags": { "organizationId": "{organizationId}" },
                "ExternalId": null,                             // may hold {organizationId}
                "Scope": "Organization"                         // or "User": one session a caller, named after it, for CloudTrail
              }
            },
            "Organizations": {
              "o-dedicated": { "RoleArn": "arn:aws:iam::444455556666:role/iot", "Region": "eu-west-1", "IotEndpoint": "abc-ats.iot.eu-west-1.amazonaws.com" } }
          },

          "ReverseProxy": {
            "Routes": {
              "iot-endpoint-and-credentials": {
                "Match": { "Path": "/organizations/{organizationId}/iot-endpoint-and-credentials" },
                "AuthorizationPolicy": "OrganizationMember", "RateLimiterPolicy": "PerOrganization",
                "Metadata": { "Module": "IotCredentials", "Profile": "default" }   // no ClusterId: answered in process
              },
              "organizations": {
                "ClusterId": "organizations", "AuthorizationPolicy": "OrganizationMember",
                "Match": { "Path": "/organizations/{organizationId}/{**rest}" }
              }
            },
            "Clusters": { "organizations": { "Destinations": { "a": { "Address": "http://localhost:5001/" } } } }
          }
        }
        """;
}
