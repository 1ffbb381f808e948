using System.Collections.Frozen;
using System.Net;
using System.Security.Claims;
using Gateway.Authentication;
using Gateway.Edge;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Gateway.Tests.Edge;

/// <summary>Rate limits and limits of upgrades count a caller under one key.</summary>
public sealed class CallerKeyTests
{
    [Theory]
    [InlineData("https://one.example.com", "a", "https://one.example.com\na")]
    [InlineData("https://two.example.com", "a", "https://two.example.com\na")]
    [InlineData("https://one.example.com", "a\nb", "https://one.example.com\na\nb")]
    [InlineData(null, null, "192.0.2.7")]
    public void Of_Caller_IssuerAndSubjectElseAddress(string? issuer, string? subject, string expected)
    {
        var context = new DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Parse("192.0.2.7") } };
        if (issuer is not null) context.User = new ClaimsPrincipal(Identity(issuer, subject!));

        Assert.Equal(expected, CallerKey.Of(context));
    }

    private static CallerIdentity Identity(string issuer, string subject) => new(issuer, subject, DateTimeOffset.MaxValue)
    {
        Scheme = "Partner",
        NotBefore = DateTimeOffset.UnixEpoch,
        Organizations = FrozenSet<string>.Empty,
        Roles = FrozenSet<string>.Empty,
        Scopes = FrozenSet<string>.Empty,
    };
}
