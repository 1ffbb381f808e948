using System.Text.Json;
using IotCredentials.Failures;
using IotCredentials.Profiles;

namespace IotCredentials.OrganizationDirectory;

/// <summary>
/// Reads a response of the directory: <c>{"data":{"id","awsAccountId","awsRegion","iotEndpoint"}}</c>, or the inner object alone. Other members are ignored. A
/// response that cannot be read is a failure of the directory (<see cref="FailureClass.Unavailable"/>); one that says something that must not be used is
/// refused (<see cref="FailureClass.Refused"/>).
/// </summary>
internal static class DirectoryResponse
{
    private const int LongestLabel = 63;
    private const string EndpointSuffix = "-ats";

    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    /// <exception cref="VendingException">The response cannot be used. The message holds nothing of it but names of accounts and regions.</exception>
    public static OrganizationPlace Read(ReadOnlyMemory<byte> utf8, OrganizationId organization, DirectoryOptions options)
    {
        try
        {
            // Some services write a byte-order mark before UTF-8, which is no part of the text.
            using var document = JsonDocument.Parse(utf8.Span.StartsWith("\uFEFF"u8) ? utf8[3..] : utf8, s_strict);
            return Read(document.RootElement, organization, options);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // GetString throws InvalidOperationException for text that is not Unicode.
            throw new VendingException(FailureClass.Unavailable, "its response is not a JSON object without duplicate members, nested 16 levels at most");
        }
    }

    private static OrganizationPlace Read(JsonElement root, OrganizationId organization, DirectoryOptions options)
    {
        if (root.ValueKind != JsonValueKind.Object) throw new JsonException();
        var inner = root;
        if (root.TryGetProperty("data", out var data) && data.ValueKind == JsonValueKind.Object)
        {
            if (root.TryGetProperty("id", out _)) throw Refused("names the organization twice, outside of data and in it");
            inner = data;
        }

        if (Text(inner, "id") != organization.Value) throw Refused("is about another organization than the one that was asked for");
        var account = Text(inner, "awsAccountId");
        if (!DirectoryRules.IsAccount(account)) throw Refused("has no awsAccountId of 12 digits");
        if (!options.AllowsAccount(account!)) throw Refused($"names the account {account}, which Directory:AllowedAccounts does not allow");
        var region = Text(inner, "awsRegion");
        if (region is null || !AwsPartition.IsRegion(region)) throw Refused("has no awsRegion that is an AWS region");
        if (!options.AllowsRegion(region)) throw Refused("names a region that Directory:AllowedRegions does not allow, or that is too long for one");
        return new(account!, region, Endpoint(inner, region));
    }

    private static string? Endpoint(JsonElement inner, string region)
    {
        if (!inner.TryGetProperty("iotEndpoint", out var member) || member.ValueKind == JsonValueKind.Null) return null;
        var endpoint = Text(inner, "iotEndpoint");
        var rest = $"{EndpointSuffix}.iot.{region}.{AwsPartition.Of(region).Domain}";
        if (endpoint?.EndsWith(rest, StringComparison.Ordinal) == true
            && endpoint[..^rest.Length] is { Length: > 0 and var length } name && length <= LongestLabel - EndpointSuffix.Length
            && name.All(static character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character)))
            return endpoint;
        throw Refused($"has an iotEndpoint that is not of the form NAME{rest}");
    }

    private static string? Text(JsonElement inner, string name) =>
        inner.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String ? member.GetString() : null;

    private static VendingException Refused(string why) => new(FailureClass.Refused, $"its response {why}");
}
