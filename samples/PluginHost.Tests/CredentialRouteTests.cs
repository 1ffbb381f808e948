using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Amazon.Runtime;
using IotCredentials;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Xunit;

public sealed class CredentialRouteTests : IAsyncLifetime
{
    private const string Issuer = "https://id.example.com";

    private readonly SymmetricSecurityKey _key = new(RandomNumberGenerator.GetBytes(32));
    private readonly WebApplication _sts = WebApplication.CreateSlimBuilder().Build();
    private WebApplicationFactory<Program> _host = null!;

    [Fact]
    public async Task A_member_gets_credentials_of_the_own_organization_and_of_no_other()
    {
        using var client = _host.CreateClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", TokenOf("o-acme"));

        var own = await client.GetAsync("/organizations/o-acme/iot-endpoint-and-credentials");
        var other = await client.GetAsync("/organizations/o-other/iot-endpoint-and-credentials");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Forbidden), (own.StatusCode, other.StatusCode));
        Assert.Contains("ASIAEXAMPLE", await own.Content.ReadAsStringAsync());
    }

    public async ValueTask InitializeAsync()
    {
        _sts.Urls.Add("http://127.0.0.1:0");
        _sts.MapPost("/", () => Results.Text(AssumeRoleResponse(), "text/xml"));
        await _sts.StartAsync();
        _host = new WebApplicationFactory<Program>().WithWebHostBuilder(host =>
        {
            // With it, AWS IoT is not asked for the endpoint.
            host.UseSetting("IotCredentials:Profiles:default:IotEndpoint", "example-ats.iot.ap-northeast-1.amazonaws.com");
            host.ConfigureTestServices(services =>
            {
                services.Configure<AwsClientOptions>(aws =>
                {
                    aws.Credentials = new BasicAWSCredentials("AKIAEXAMPLE", "example");
                    aws.StsUrl = new Uri(_sts.Urls.First());
                });
                services.Configure<JwtBearerOptions>(JwtBearerDefaults.AuthenticationScheme, bearer =>
                {
                    bearer.Configuration = new() { Issuer = Issuer };
                    bearer.TokenValidationParameters.IssuerSigningKey = _key;
                });
            });
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        await _sts.DisposeAsync();
    }

    private string TokenOf(string organization) => new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
    {
        Issuer = Issuer,
        Audience = "api://gateway",
        Claims = new Dictionary<string, object> { ["sub"] = "alice", ["organizations"] = new[] { organization } },
        SigningCredentials = new(_key, SecurityAlgorithms.HmacSha256),
    });

    private static string AssumeRoleResponse() => $"""
        <AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
          <AssumeRoleResult>
            <Credentials>
              <AccessKeyId>ASIAEXAMPLE</AccessKeyId>
              <SecretAccessKey>example</SecretAccessKey>
              <SessionToken>example</SessionToken>
              <Expiration>{DateTime.UtcNow.AddHours(1).ToString("s", CultureInfo.InvariantCulture)}Z</Expiration>
            </Credentials>
          </AssumeRoleResult>
        </AssumeRoleResponse>
        """;
}
