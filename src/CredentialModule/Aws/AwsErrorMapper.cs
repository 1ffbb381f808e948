using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.SecurityToken.Model;
using IotCredentials.Failures;
using Microsoft.Net.Http.Headers;

namespace IotCredentials.Aws;

/// <summary>
/// Maps an error of an AWS call to a failure. Its message holds nothing of a response but the status, AWS's code, a denied action and the problem of a session
/// policy.
/// </summary>
internal static partial class AwsErrorMapper
{
    // If the clocks differ by more than this, the SDK, too, attributes a rejected signature to the clock.
    private static readonly TimeSpan s_clockTolerance = TimeSpan.FromMinutes(4);

    // The SDK decides which errors are throttling, and which are worth a retry.
    private static readonly StandardRetryPolicy s_sdk = new(maxRetries: 0);

    // STS and AWS IoT use different codes for the same cause.
    private static readonly Dictionary<string, string> s_ofCredentials = new(StringComparer.Ordinal)
    {
        ["ExpiredToken"] = Expired,
        ["ExpiredTokenException"] = Expired,
        ["InvalidClientTokenId"] = Unknown,
        ["UnrecognizedClientException"] = Unknown,
        ["InvalidAccessKeyId"] = Unknown,
        ["InvalidToken"] = Unknown,
        ["SignatureDoesNotMatch"] = OtherSecret,
        ["InvalidSignatureException"] = OtherSecret,
        ["IncompleteSignature"] = OtherSecret,
        ["IncompleteSignatureException"] = OtherSecret,
        ["AuthFailure"] = OtherSecret,
        ["MissingAuthenticationToken"] = Unsigned,
        ["MissingAuthenticationTokenException"] = Unsigned,
        ["RequestExpired"] = WrongClock,
        ["RequestTimeTooSkewed"] = WrongClock,
        ["RequestInTheFuture"] = WrongClock,
    };

    private static readonly Dictionary<string, string> s_reasons = new(StringComparer.Ordinal)
    {
        ["RegionDisabledException"] = "STS is not activated in this region: activate it in the account settings of IAM",
        ["OptInRequired"] = "the account has not enabled this region",
        [MalformedPolicy] = "AWS does not take the session policy",
        ["PackedPolicyTooLarge"] = "session policy and tags are too large together",
    };

    private const string MalformedPolicy = "MalformedPolicyDocument";

    private const int LongestProblem = 200;

    private const int LongestReadProblem = 1024;

    private const string Expired = "the gateway's session at AWS has expired: renew AWS_SESSION_TOKEN and its keys where they come from";

    private const string Unknown =
        "AWS does not know the gateway's access key: it was deleted or deactivated, is of another partition, or the region is not enabled for its account";

    private const string OtherSecret = "the gateway's secret key does not belong to its access key id, or something on the way changes requests";

    private const string Unsigned = "something on the way to AWS removes the signature";

    private const string NoSuchEndpoint =
        "FIPS and dual-stack endpoints exclude an address of one's own (AWS_ENDPOINT_URL…), and not every partition has them: take back "
        + "AWS_USE_FIPS_ENDPOINT or AWS_USE_DUALSTACK_ENDPOINT, or name IotEndpoint where only AWS IoT has none";

    private const string NoUrl = "an address of AWS in AWS_ENDPOINT_URL… or in a profile's endpoint_url is not a URL";

    private const string WrongClock = "the clock of this machine is wrong: set it by NTP";

    /// <summary>The failure that the error of a call stands for.</summary>
    /// <param name="error">The exception.</param>
    /// <param name="call">The action, such as <c>sts:AssumeRole</c>.</param>
    /// <param name="address">The address that was called, if it is known.</param>
    public static VendingException From(Exception error, string call, Uri? address = null) => error switch
    {
        VendingException e => e,
        // The credentials are those of a session that was just opened, which AWS does not know everywhere yet.
        AmazonServiceException e when ServiceCodeOf(e) is { } code && s_ofCredentials.ContainsKey(code) =>
            new(FailureClass.Unavailable, $"{call}: {(int)e.StatusCode} {code}"),
        AmazonServiceException e when ServiceCodeOf(e) is { } code => new(ClassOf(e), $"{call}: {(int)e.StatusCode} {code}{ReasonOf(e, code)}"),
        // The response is a proxy's page, truncated or empty, and not AWS's verdict.
        AmazonServiceException { StatusCode: not 0 } e => new(FailureClass.Unavailable, $"{call}: {(int)e.StatusCode}, and the response is not one of AWS's"),
        AmazonUnmarshallingException => new(FailureClass.Unavailable, $"{call}: the response is not one of AWS's"),
        AmazonClientException e when MentionsInMessage(e, "FIPS") || MentionsInMessage(e, "DualStack") =>
            new(FailureClass.Refused, $"{call}: {NoSuchEndpoint}"),
        AmazonClientException e when MentionsInMessage(e, "ServiceURL") => new(FailureClass.Refused, $"{call}: {NoUrl}"),
        _ => new(FailureClass.Unavailable, $"{call}: {FailureText.Of(error, address)}"),
    };

    /// <summary>The reason why AWS rejects the credentials that a call was signed with, and the remedy; null if the call failed for another reason.</summary>
    public static VendingException? OfCredentials(Exception error)
    {
        if (error is not AmazonServiceException e || ServiceCodeOf(e) is not { } code || !s_ofCredentials.TryGetValue(code, out var reason)) return null;
        if (reason is OtherSecret or WrongClock && ClockIsAheadBy(e) is { } ahead)
        {
            var minutes = ahead.Duration().TotalMinutes.ToString("0", CultureInfo.InvariantCulture);
            reason = $"the clock of this machine is {minutes} min {(ahead > TimeSpan.Zero ? "ahead of" : "behind")} AWS's: set it by NTP";
        }

        return new VendingException(FailureClass.Credentials, $"{reason} ({(int)e.StatusCode} {code})");
    }

    /// <summary>AWS's code of an error; null if it does not look like one.</summary>
    public static string? ServiceCodeOf(AmazonServiceException error) => error is AmazonUnmarshallingException ? null : FailureText.Code(error.ErrorCode);

    /// <summary>The class of an AWS error, which determines when to retry.</summary>
    public static FailureClass ClassOf(AmazonServiceException error) =>
        s_sdk.IsThrottlingError(error) || error.StatusCode == HttpStatusCode.TooManyRequests ? FailureClass.Throttled
        : s_sdk.IsServiceTimeoutError(error) || s_sdk.IsTransientError(executionContext: null, error) || error is IDPCommunicationErrorException
            || error.StatusCode is HttpStatusCode.RequestTimeout or HttpStatusCode.MisdirectedRequest ? FailureClass.Unavailable
        : (int)error.StatusCode is >= 400 and < 500 ? FailureClass.Refused
        : FailureClass.Unavailable;

    /// <summary>The meaning of AWS's code, with the remedy, if that is the same for every call; null for other codes.</summary>
    public static string? ReasonOf(string code) => s_reasons.GetValueOrDefault(code);

    private static bool MentionsInMessage(Exception error, string words) => error.Message.Contains(words, StringComparison.OrdinalIgnoreCase);

    // Uses only the parts of AWS's message that have a known form: the message can repeat the request, and with it the token.
    private static string ReasonOf(AmazonServiceException error, string code) =>
        ReasonOf(code) is { } reason ? $": {reason}{(code == MalformedPolicy ? ProblemOfPolicy(error.Message) : "")}"
        : Denied().Match(error.Message) is { Success: true } denied ? $": not authorized to perform {denied.Groups[1].Value}"
        : MentionsInMessage(error, "role chaining") ? ": a role's own session gets one hour at most: lower SessionDuration to 01:00:00"
        : MentionsInMessage(error, "exceeds the MaxSessionDuration") ? ": SessionDuration is longer than the role's maximum session duration"
        : "";

    // This message speaks only of the policy, which holds no secret, and nothing else says what to correct.
    private static string ProblemOfPolicy(string message)
    {
        var printable = message.Take(LongestReadProblem).Select(static character => character is >= ' ' and <= '~' ? character : ' ');
        var problem = SecretText.HideInSentence(string.Concat(printable)).Trim();
        return problem.Length == 0 ? "" : $" ({(problem.Length > LongestProblem ? problem[..LongestProblem] + "…" : problem)})";
    }

    private static TimeSpan? ClockIsAheadBy(AmazonServiceException error)
    {
        for (Exception? cause = error; cause is not null; cause = cause.InnerException)
        {
            // The SDK signs with the system's clock.
            if (cause is HttpErrorResponseException { Response: { } response }
                && HeaderUtilities.TryParseDate(response.GetHeaderValue("Date"), out var theirs)
                && DateTimeOffset.UtcNow - theirs is var ahead && ahead.Duration() > s_clockTolerance)
                return ahead;
        }

        return null;
    }

    [GeneratedRegex(@"not authorized to perform: ([a-z][a-z0-9-]{1,30}:[A-Za-z]{2,60})\b")]
    private static partial Regex Denied();
}
