using System.Text.Json.Nodes;
using Gateway.Configuration;
using Gateway.Configuration.Snapshots;
using IotCredentials.Http;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.OpenApi;

namespace Gateway.ApiReference;

/// <summary>Makes the edge's own OpenAPI document: the routes that vend credentials, and the error responses and security schemes of all routes.</summary>
internal sealed class EdgeDocument
{
    private const string Json = "application/json";
    private const string ErrorSchema = "Error";
    private const string CredentialsSchema = "IotEndpointAndCredentials";

    private static readonly string[] s_headers = ["Cache-Control", "X-Request-Id", "RateLimit-Policy", "RateLimit"];

    private static readonly JsonNode s_vended = JsonNode.Parse("""
        { "data": { "awsRegion": "ap-northeast-1", "iotEndpoint": "example-ats.iot.ap-northeast-1.amazonaws.com", "credentials": {
          "accessKeyId": "ASIAEXAMPLE", "secretAccessKey": "EXAMPLE", "sessionToken": "EXAMPLE", "expiration": "2024-01-01T00:00:00.000Z" } } }
        """)!;

    private static readonly OpenApiParameter s_minimumLifetime = new()
    {
        Name = "minimumLifetime",
        In = ParameterLocation.Query,
        Description = "How many seconds the credentials must at least live. Without it, the gateway's own minimum applies, which is also the least. More than "
            + "the gateway can guarantee, which is 1,800 as shipped (the session's duration less the time after which it is renewed), gets 422.",
        Schema = new OpenApiSchema { Type = JsonSchemaType.Integer, Minimum = "0", Maximum = "43200" },
        Example = 1800,
    };

    private readonly OpenApiDocument _document;
    private readonly OrganizationIdFormat? _organizationIds;
    private readonly string _idCharacters;

    private EdgeDocument(Snapshot snapshot, string address)
    {
        _organizationIds = snapshot.Profiles?.OrganizationIds;
        _idCharacters = snapshot.Options.IotCredentials.OrganizationId.Characters;
        _document = new OpenApiDocument
        {
            Info = new()
            {
                Title = "IoT API",
                Version = "1",
                Description = "Every error that the gateway makes itself has the members `error` and `message`. "
                    + "What a service responds passes through unchanged.",
            },
            Servers =
            [
                new()
                {
                    Url = "{gateway}",
                    Description = "The gateway. Behind a load balancer, clients use the balancer's address.",
                    Variables = new Dictionary<string, OpenApiServerVariable> { ["gateway"] = new() { Default = address } },
                },
            ],
            Tags = new HashSet<OpenApiTag> { new() { Name = "Credentials", Description = "Access to AWS IoT for members of an organization." } },
            Paths = [],
            Components = new() { Schemas = Schemas(), Headers = Headers(), SecuritySchemes = SecuritySchemes(snapshot) },
        };
        _document.Workspace!.RegisterComponents(_document);
        _document.Components.Responses = GatewayResponse.All.ToDictionary(static error => error.Name, Response);
        _document.Workspace.RegisterComponents(_document);
        _document.Security =
        [
            .. _document.Components.SecuritySchemes!.Keys.Select(scheme => new OpenApiSecurityRequirement { [new(scheme, _document)] = [] }),
        ];
    }

    /// <summary>Returns the document with these credential routes.</summary>
    public static async Task<JsonObject> MakeAsync(Snapshot snapshot, IServer server, IEnumerable<RouteEndpoint> credentialRoutes)
    {
        var edge = new EdgeDocument(snapshot, AddressOf(server));
        foreach (var route in credentialRoutes) edge.Add(route.RoutePattern);
        return JsonNode.Parse(await edge._document.SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1))!.AsObject();
    }

    private void Add(RoutePattern pattern)
    {
        var path = "/" + string.Join('/', pattern.PathSegments.Select(static segment => string.Concat(segment.Parts.Select(static part => part switch
        {
            RoutePatternParameterPart parameter => $"{{{parameter.Name}}}",
            RoutePatternLiteralPart literal => literal.Content,
            RoutePatternSeparatorPart separator => separator.Content,
            _ => "",
        }))));
        var number = _document.Paths.Count == 0 ? "" : $"{_document.Paths.Count + 1}";
        var operation = new OpenApiOperation
        {
            OperationId = $"getIotEndpointAndCredentials{number}",
            Summary = "Get the organization's AWS IoT endpoint and short-lived AWS credentials",
            Description = "The credentials reach the things and topics of the organization, and nothing else. Ask again before `expiration`.",
            Tags = new HashSet<OpenApiTagReference> { new("Credentials", _document) },
            Parameters = [.. pattern.Parameters.Select(static parameter => parameter.Name).Select(PathParameter), s_minimumLifetime],
            Responses = new() { ["200"] = Vended() },
        };
        foreach (var error in GatewayResponse.OfCredentialRoutes.OrderBy(static error => error.Status))
            operation.Responses[$"{error.Status}"] = new OpenApiResponseReference(error.Name, _document);
        _document.Paths.TryAdd(path, new OpenApiPathItem { Operations = new() { [HttpMethod.Get] = operation } });
    }

    private OpenApiParameter PathParameter(string name)
    {
        var schema = new OpenApiSchema { Type = JsonSchemaType.String };
        if (name.Equals(RouteOrganization.Parameter, StringComparison.OrdinalIgnoreCase) && _organizationIds is { } ids)
        {
            // A prefix holds no character that means something in a pattern, and the characters are written as in a pattern's set.
            schema.Pattern = $"^{ids.Prefix}[{_idCharacters}]{{{ids.MinLength},{ids.MaxLength}}}$";
            schema.Examples = [ids.Examples.First().Value];
        }

        return new() { Name = name, In = ParameterLocation.Path, Required = true, Schema = schema };
    }

    private OpenApiResponse Vended() => new()
    {
        Description = "The endpoint and the credentials.",
        Headers = HeadersOf(s_headers),
        Content = new Dictionary<string, IOpenApiMediaType>
        {
            [Json] = new OpenApiMediaType { Schema = new OpenApiSchemaReference(CredentialsSchema, _document), Example = s_vended.DeepClone() },
        },
    };

    private IOpenApiResponse Response(GatewayResponse error)
    {
        string[] headers = error.Header is { } header ? [.. s_headers, header] : s_headers;
        return new OpenApiResponse
        {
            Description = error.Description,
            Headers = HeadersOf(headers),
            Content = new Dictionary<string, IOpenApiMediaType>
            {
                [Json] = new OpenApiMediaType { Schema = new OpenApiSchemaReference(ErrorSchema, _document), Example = error.Body.DeepClone() },
            },
        };
    }

    private Dictionary<string, IOpenApiHeader> HeadersOf(params string[] names) =>
        names.ToDictionary(static name => name, name => (IOpenApiHeader)new OpenApiHeaderReference(name, _document));

    private static Dictionary<string, IOpenApiSchema> Schemas() => new()
    {
        [ErrorSchema] = Object(
            ("error", Text("The kind of the error.")),
            ("message", Text("The error in words."))),
        [CredentialsSchema] = Object(("data", Object(
            ("awsRegion", Text("The AWS region of the endpoint.")),
            ("iotEndpoint", Text("The host name of the organization's AWS IoT endpoint.")),
            ("credentials", Object(
                ("accessKeyId", Text("The access key id.")),
                ("secretAccessKey", Text("The secret access key.")),
                ("sessionToken", Text("The session token.")),
                ("expiration", new OpenApiSchema
                {
                    Type = JsonSchemaType.String,
                    Format = "date-time",
                    Pattern = @"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$",
                    Description = "When the credentials end, in UTC.",
                })))))),
    };

    private static Dictionary<string, IOpenApiHeader> Headers() => new()
    {
        ["X-Request-Id"] = Header(
            "The request's id in the logs of the gateway and of services.", new() { Type = JsonSchemaType.String, Pattern = "^[0-9a-f]{32}$" }),
        ["Cache-Control"] = Header("The response must not be stored.", new() { Type = JsonSchemaType.String, Const = "no-store" }),
        ["WWW-Authenticate"] = Header(
            "How to authenticate, with `error=\"invalid_token\"` if a token was sent.", new() { Type = JsonSchemaType.String, Pattern = "^Bearer" }),
        ["Allow"] = Header("The methods that are allowed.", new() { Type = JsonSchemaType.String }),
        ["Retry-After"] = Header("After how many seconds to try again.", new() { Type = JsonSchemaType.Integer, Minimum = "1" }),
        ["RateLimit-Policy"] = Header(
            "Only of requests that a limit has counted: its name, with `q`, how many requests it allows, and `w`, in how many seconds, or `qu`, at once.",
            new() { Type = JsonSchemaType.String, Pattern = @"^"".+"";q=\d+" }, isRequired: false),
        ["RateLimit"] = Header(
            "Only of requests that a limit has counted, if it is known: `r` is how many requests are left, and `t`, which may be missing, in how many seconds "
            + "there are more.",
            new() { Type = JsonSchemaType.String, Pattern = @"^"".+"";r=\d+" }, isRequired: false),
    };

    private static Dictionary<string, IOpenApiSecurityScheme> SecuritySchemes(Snapshot snapshot)
    {
        var schemes = new Dictionary<string, IOpenApiSecurityScheme>
        {
            ["Bearer"] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                Description = "A token of an issuer that the gateway trusts.",
            },
        };
        if (snapshot.Options.Authentication.KeyHeader is { } header)
            schemes["ApiKey"] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.ApiKey,
                In = ParameterLocation.Header,
                Name = header,
                Description = "An API key. Not together with a token.",
            };
        return schemes;
    }

    private static OpenApiSchema Object(params (string Name, IOpenApiSchema Schema)[] members) => new()
    {
        Type = JsonSchemaType.Object,
        AdditionalPropertiesAllowed = false,
        Required = new HashSet<string>(members.Select(static member => member.Name)),
        Properties = members.ToDictionary(static member => member.Name, static member => member.Schema),
    };

    private static OpenApiSchema Text(string description) => new() { Type = JsonSchemaType.String, MinLength = 1, Description = description };

    private static OpenApiHeader Header(string description, OpenApiSchema schema, bool isRequired = true) =>
        new() { Description = description, Schema = schema, Required = isRequired };

    private static string AddressOf(IServer server)
    {
        var listeners = server.Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
        // A client that is generated from the document sends its tokens there.
        var listener = listeners.FirstOrDefault(static listener => listener.StartsWith("https:", StringComparison.OrdinalIgnoreCase))
            ?? listeners.FirstOrDefault() ?? GatewayOptions.DefaultUrls;
        var address = BindingAddress.Parse(listener);
        var host = address.Host is "*" or "+" or "[::]" or "0.0.0.0" ? "localhost" : address.Host;
        return $"{address.Scheme}://{host}:{address.Port}";
    }
}
