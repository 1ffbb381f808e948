using BenchmarkDotNet.Attributes;
using Gateway.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Pieces;

/// <summary>A token that was found good before, beside the validation that this saves.</summary>
public class TokenLookup
{
    private readonly JsonWebTokenHandler _handler = new();
    private WarmGateway _gateway = null!;
    private ValidatedTokenCache _validated = null!;
    private TokenValidationParameters _parameters = null!;

    [GlobalSetup]
    public async Task StartAsync()
    {
        _gateway = await WarmGateway.StartAsync();
        _validated = _gateway.Services.GetRequiredService<ValidatedTokenCache>();
        var scheme = _gateway.Services.GetRequiredService<IOptionsMonitor<JwtBearerOptions>>().Get("Platform");
        _parameters = scheme.TokenValidationParameters.Clone();
        _parameters.ConfigurationManager = (BaseConfigurationManager)scheme.ConfigurationManager!;
        if (_gateway.Token.Length is < 700 or > 900) throw new InvalidOperationException($"a token of {_gateway.Token.Length} characters is not the usual");
        if (!FindToken() || !await ValidateTokenAsync()) throw new InvalidOperationException("the token is not known or not good");
    }

    [GlobalCleanup]
    public Task StopAsync() => _gateway.DisposeAsync().AsTask();

    [Benchmark(Description = "token: found")]
    public bool FindToken() => _validated.Find(TokenKey.Of("Platform", _gateway.Token)) is not null;

    [Benchmark(Description = "token: validated")]
    public async Task<bool> ValidateTokenAsync() => (await _handler.ValidateTokenAsync(_gateway.Token, _parameters)).IsValid;
}
