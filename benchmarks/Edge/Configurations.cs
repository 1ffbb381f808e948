using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Testing;

namespace Edge;

/// <summary>The configuration files that the servers start with.</summary>
internal static class Configurations
{
    public const string OperatorRole = "platform-operator";

    public const string KeyHeader = "X-API-Key";

    /// <summary>Requests of an organization a second: no target reaches it.</summary>
    public const int PermitLimit = 1_000_000;

    /// <summary>What ships, with this world's addresses in it, and without the limits that a benchmark would run into.</summary>
    /// <param name="world">Issuer and Redis.</param>
    /// <param name="service">The address behind the pass-through routes.</param>
    public static JsonObject Gateway(World world, string service)
    {
        var shipped = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "appsettings", "appsettings.json"));
        var settings = JsonNode.Parse(shipped, documentOptions: new() { CommentHandling = JsonCommentHandling.Skip })!.AsObject();
        settings["ConnectionStrings"] = new JsonObject { ["Redis"] = world.Redis.ConnectionString };
        settings["Sealing"] = new JsonObject { ["KeyPath"] = "sealing-keys" };
        var scheme = settings["Authentication"]!["Schemes"]!["Platform"]!;
        scheme["Authority"] = world.Issuer.Issuer;
        scheme["RequireHttpsMetadata"] = false;
        // Everything is on, the limits too.
        settings["ReverseProxy"]!["Routes"]!["organizations"]!["RateLimiterPolicy"] = "PerOrganization";
        SetLimit(settings, PermitLimit);
        settings["IotCredentials"]!["Cache"] = new JsonObject { ["KeyPrefix"] = world.KeyPrefix };
        settings["IotCredentials"]!["Sts"] = new JsonObject { ["PermitsPerSecond"] = 10_000, ["MaxConcurrent"] = 1_000 };
        settings["ReverseProxy"]!["Clusters"]!["organizations"]!["Destinations"]!["a"]!["Address"] = service;
        return settings;
    }

    /// <summary>Turns every line below a warning off: of access and audit too.</summary>
    public static void Quiet(JsonObject settings)
    {
        settings["Logging"]!["LogLevel"] = new JsonObject { ["Default"] = "Warning" };
        foreach (var log in (string[])["AccessLog", "AuditLog"]) settings[log] = new JsonObject { ["Enabled"] = false };
    }

    /// <summary>Adds so many routes to the one that passes an organization's requests on, and turns log lines off.</summary>
    public static void Routes(JsonObject settings, int count)
    {
        Quiet(settings);
        var routes = settings["ReverseProxy"]!["Routes"]!.AsObject();
        for (var i = 0; routes.Count < count + 2; i++)
        {
            var route = routes["organizations"]!.DeepClone();
            route["Match"]!["Path"] = $"/organizations/{{organizationId}}/route-{i}/{{**rest}}";
            routes[$"route-{i}"] = route;
        }
    }

    /// <summary>The path of an added route.</summary>
    public static string PathOfRoute(int number) => $"/organizations/o-0/route-{number}/devices";

    /// <summary>Passes requests on by HTTP/2, without TLS.</summary>
    /// <param name="settings">What is changed.</param>
    /// <param name="service">A service that speaks HTTP/2 alone.</param>
    public static void ToHttp2(JsonObject settings, string service)
    {
        var cluster = settings["ReverseProxy"]!["Clusters"]!["organizations"]!;
        cluster["Destinations"]!["a"]!["Address"] = service;
        cluster["HttpRequest"] = new JsonObject { ["Version"] = "2", ["VersionPolicy"] = "RequestVersionExact" };
    }

    /// <summary>Lets one caller and one address open so many streams, and other connections.</summary>
    public static void Streams(JsonObject settings, int count)
    {
        settings["Edge"] = new JsonObject { ["UpgradesPerCaller"] = count, ["ConnectionsPerAddress"] = 2 * count };
        var limits = settings["Kestrel"]!["Limits"]!;
        (limits["MaxConcurrentConnections"], limits["MaxConcurrentUpgradedConnections"]) = (2 * count, count);
    }

    /// <summary>Calls STS no more often than what ships.</summary>
    public static void ShippedBudget(JsonObject settings) => settings["IotCredentials"]!.AsObject().Remove("Sts");

    public static void SetLimit(JsonObject settings, int limit) => settings["RateLimiting"]!["Policies"]!["PerOrganization"]!["PermitLimit"] = limit;

    /// <summary>Accepts API keys.</summary>
    /// <param name="settings">What is changed.</param>
    /// <param name="callers">The organizations, each with its key.</param>
    public static void ApiKeys(JsonObject settings, IEnumerable<(string Organization, string Key)> callers) =>
        settings["Authentication"]!["ApiKeys"] = new JsonObject
        {
            ["Header"] = KeyHeader,
            ["Keys"] = new JsonObject(callers.Select(caller => KeyValuePair.Create<string, JsonNode?>(caller.Organization, new JsonObject
            {
                ["Sha256"] = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(caller.Key))),
                ["Organizations"] = new JsonArray(caller.Organization),
            }))),
        };

    /// <summary>Speaks TLS on the public listener.</summary>
    public static void Tls(JsonObject settings, string certificate, string key) =>
        settings["Kestrel"]!["Certificates"] = new JsonObject { ["Default"] = new JsonObject { ["Path"] = certificate, ["KeyPath"] = key } };

    /// <summary>Lets operators use the console.</summary>
    public static void Operators(JsonObject settings)
    {
        settings["Authorization"]!["Policies"]!["Operators"] = new JsonObject { ["Roles"] = new JsonArray(OperatorRole) };
        settings["Management"]!["AuthorizationPolicy"] = "Operators";
    }

    /// <summary>
    /// nginx that responds to every request with the same bytes: the service behind the proxies. A path that ends in the name of a file gets that file.
    /// </summary>
    public static string Service(int port, string response, IEnumerable<(string Name, string Path)> files, bool http2 = false) => Nginx(workers: 1, $$"""
            server {
              listen 127.0.0.1:{{port}} backlog=1024{{(http2 ? " http2" : "")}};
              default_type application/json;
              location / {
                return 200 '{{response}}';
              }
        {{string.Concat(files.Select(file => $"      location ~ /{file.Name}$ {{ alias {file.Path}; }}\n"))}}
            }
        """);

    /// <summary>nginx that passes everything on, and looks at no token.</summary>
    public static string NginxProxy(int port, int service) => Nginx(workers: 2, $$"""
        {{Upstream("service", service)}}
            server {
              listen 127.0.0.1:{{port}} backlog=1024;
              location / {
                {{ProxyPass("service")}}
              }
            }
        """);

    /// <summary>nginx that asks a checker about the token of every request, passes it on, and writes its access log.</summary>
    public static string NginxWithChecker(int port, int service, int checker) => Nginx(workers: 2, $$"""
        {{Upstream("service", service)}}
        {{Upstream("checker", checker)}}
            server {
              listen 127.0.0.1:{{port}} backlog=1024;
              access_log /dev/stdout combined;
              location / {
                auth_request /check;
                {{ProxyPass("service")}}
              }
              location = /check {
                internal;
                {{ProxyPass("checker")}}
                proxy_pass_request_body off;
                proxy_set_header Content-Length "";
              }
            }
        """);

    private static string Upstream(string name, int port) => $$"""
            upstream {{name}} {
              server 127.0.0.1:{{port}};
              keepalive 64;
              keepalive_requests 1000000000;
            }
        """;

    private static string ProxyPass(string upstream) => $"""proxy_pass http://{upstream}; proxy_http_version 1.1; proxy_set_header Connection "";""";

    /// <summary>
    /// HAProxy that verifies signature, issuer, audience and <c>exp</c> of every token, as its own handbook does it, and passes the request on.
    /// </summary>
    /// <param name="port">Where it listens.</param>
    /// <param name="service">Where the service does.</param>
    /// <param name="issuer">The tokens' issuer.</param>
    /// <param name="publicKey">The issuer's key.</param>
    /// <param name="logs">Whether it writes its access log.</param>
    public static string HaProxy(int port, int service, string issuer, string publicKey, bool logs) => $$"""
        global
          nbthread 2
          {{(logs ? "log stdout format raw local0 info" : "")}}
        defaults
          mode http
          {{(logs ? "log global\n  option httplog" : "")}}
          timeout connect 5s
          timeout client 60s
          timeout server 60s
        frontend edge
          bind 127.0.0.1:{{port}} backlog 1024
          http-request set-var(txn.alg) http_auth_bearer,jwt_header_query('$.alg')
          http-request set-var(txn.exp) http_auth_bearer,jwt_payload_query('$.exp','int')
          http-request set-var(txn.now) date()
          http-request deny deny_status 401 unless { var(txn.alg) -m str RS256 }
          http-request deny deny_status 401 unless { http_auth_bearer,jwt_payload_query('$.iss') -m str {{issuer}} }
          http-request deny deny_status 401 unless { http_auth_bearer,jwt_payload_query('$.aud') -m str api://gateway }
          http-request deny deny_status 401 unless { http_auth_bearer,jwt_verify(txn.alg,"{{publicKey}}") -m int 1 }
          http-request deny deny_status 401 if { var(txn.exp),sub(txn.now) -m int lt 0 }
          default_backend service
        backend service
          http-reuse always
          server a 127.0.0.1:{{service}}

        """;

    private static string Nginx(int workers, string http) => $$"""
        {{(Environment.IsPrivilegedProcess ? "user root;" : "")}}
        daemon off;
        worker_processes {{workers}};
        pid nginx.pid;
        events { worker_connections 1024; }
        http {
          access_log off;
          keepalive_timeout 600;
          keepalive_requests 1000000000;
          client_body_temp_path body;
          proxy_temp_path proxy;
          fastcgi_temp_path fastcgi;
          uwsgi_temp_path uwsgi;
          scgi_temp_path scgi;
        {{http}}
        }

        """;
}
