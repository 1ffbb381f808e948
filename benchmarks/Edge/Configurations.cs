using System.Text.Json;
using System.Text.Json.Nodes;
using Testing;

namespace Edge;

/// <summary>The configuration files that the servers start with.</summary>
internal static class Configurations
{
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
        settings["RateLimiting"]!["Policies"]!["PerOrganization"]!["PermitLimit"] = 1_000_000;
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

    /// <summary>nginx that answers every request with a file's bytes: the service behind the proxies.</summary>
    public static string Service(int port, string answer) => Nginx(workers: 1, $$"""
            server {
              listen 127.0.0.1:{{port}} backlog=1024;
              location / {
                default_type application/json;
                return 200 '{{answer}}';
              }
            }
        """);

    /// <summary>nginx that passes everything on, and looks at no token.</summary>
    public static string NginxProxy(int port, int service) => Nginx(workers: 2, $$"""
            upstream service {
              server 127.0.0.1:{{service}};
              keepalive 64;
              keepalive_requests 1000000000;
            }
            server {
              listen 127.0.0.1:{{port}} backlog=1024;
              location / {
                proxy_pass http://service;
                proxy_http_version 1.1;
                proxy_set_header Connection "";
              }
            }
        """);

    /// <summary>
    /// HAProxy that verifies signature, issuer, audience and <c>exp</c> of every token, as its own handbook does it, and passes the request on.
    /// </summary>
    public static string HaProxy(int port, int service, string issuer, string publicKey) => $$"""
        global
          nbthread 2
        defaults
          mode http
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
