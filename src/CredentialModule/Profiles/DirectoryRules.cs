using Microsoft.Extensions.FileProviders;

namespace IotCredentials.Profiles;

/// <summary>Checks the options of the directory.</summary>
internal static class DirectoryRules
{
    private static readonly TimeSpan s_longestTimeout = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_longestCached = TimeSpan.FromDays(7);
    private const string TheId = "{organizationId}";

    public static void Check(DirectoryOptions options, IFileProvider files, Action<Severity, string, string> report)
    {
        if (AddressProblem(options.Address) is { } problem) Error(nameof(options.Address), problem);
        if (options.TokenPath is { } path)
        {
            if (DirectoryToken.Read(path, files, out var unusable) is null)
            {
                Error(nameof(options.TokenPath), $"names {Finding.Quote(path)}, which {unusable}; "
                    + "name a file with a bearer token, relative to the configuration folder or absolute.");
            }
            else if (Uri.TryCreate(options.Address, UriKind.Absolute, out var at) && at.Scheme == Uri.UriSchemeHttp && !at.IsLoopback)
            {
                report(Severity.Warning, nameof(options.TokenPath), "is sent to an http address: everybody on the way can read the token.");
            }
        }

        CheckTime(nameof(options.Timeout), options.Timeout, TimeSpan.FromTicks(1), s_longestTimeout, "is not over 0 and up to 00:01:00.");
        CheckTime(nameof(options.CacheFor), options.CacheFor, TimeSpan.FromSeconds(1), s_longestCached, "is not from 00:00:01 to 7.00:00:00.");
        CheckTime(nameof(options.StaleFor), options.StaleFor, TimeSpan.Zero, s_longestCached, "is not from 00:00:00 to 7.00:00:00.");
        CheckTime(nameof(options.UnknownFor), options.UnknownFor, TimeSpan.Zero, s_longestCached, "is not from 00:00:00 to 7.00:00:00.");
        CheckAccounts();
        for (var index = 0; index < (options.AllowedRegions?.Count ?? 0); index++)
        {
            if (options.AllowedRegions![index] is not { } region || !AwsPartition.IsRegion(region))
                Error($"{nameof(options.AllowedRegions)}:{index}", "is not an AWS region, such as eu-west-1.");
        }

        void CheckAccounts()
        {
            if (options.AllowedAccounts is not { Count: > 0 } accounts)
            {
                Error(nameof(options.AllowedAccounts), "is missing; name the accounts that the directory may name, 12 digits each.");
                return;
            }

            if (accounts is [DirectoryOptions.AnyAccount])
            {
                report(Severity.Warning, nameof(options.AllowedAccounts),
                    "allows any account: the directory's owner decides in which account sessions are opened.");
                return;
            }

            for (var index = 0; index < accounts.Count; index++)
            {
                if (!IsAccount(accounts[index]))
                    Error($"{nameof(options.AllowedAccounts)}:{index}", "is not an account: write 12 digits in quotation marks, or [\"*\"] alone for any.");
            }
        }

        void CheckTime(string key, TimeSpan time, TimeSpan least, TimeSpan most, string message)
        {
            if (time < least || time > most) Error(key, message);
        }

        void Error(string key, string message) => report(Severity.Error, key, message);
    }

    /// <summary>Whether a text is an AWS account's number.</summary>
    public static bool IsAccount(string? text) => text is { Length: 12 } && text.All(char.IsAsciiDigit);

    private static string? AddressProblem(string? address)
    {
        if (address is null) return $"is missing; write an address such as http://organizations.internal/organizations/{TheId}.";
        var parts = address.Split(TheId);
        if (parts.Length != 2 || parts.Any(static part => part.AsSpan().IndexOfAny('{', '}') >= 0)) return $"does not hold {TheId} once, and no other braces.";
        if (!Uri.TryCreate($"{parts[0]}a{parts[1]}", UriKind.Absolute, out var one) || !Uri.TryCreate($"{parts[0]}b{parts[1]}", UriKind.Absolute, out var other)
            || (one.Scheme != Uri.UriSchemeHttp && one.Scheme != Uri.UriSchemeHttps))
            return "is not an absolute http or https address.";
        if (one.UserInfo.Length > 0) return "holds a user, which would be logged and shown: write the token's file under TokenPath.";
        if (address.Contains('#', StringComparison.Ordinal)) return "holds a fragment, which is never sent.";
        return one.GetLeftPart(UriPartial.Authority) == other.GetLeftPart(UriPartial.Authority) && one.AbsolutePath != other.AbsolutePath
            && one.Query == other.Query
            ? null
            : $"does not hold {TheId} in its path.";
    }
}
