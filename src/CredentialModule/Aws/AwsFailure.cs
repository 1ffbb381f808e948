using System.Net;
using Amazon.Runtime;
using CredentialModule.Vending;

namespace CredentialModule.Aws;

/// <summary>What an error of an AWS call means for vending, in words that hold nothing of an answer's body.</summary>
internal static class AwsFailure
{
    private static readonly HashSet<string> s_throttling =
        ["Throttling", "ThrottlingException", "ThrottledException", "RequestLimitExceeded", "TooManyRequestsException"];

    public static VendingException From(Exception error, string call) => error switch
    {
        // Its message holds the answer, and a cut-off answer holds secrets.
        AmazonUnmarshallingException => new(FailureClass.Unavailable, $"{call}: the answer cannot be read"),
        AmazonServiceException e => new(ClassOf(e), $"{call}: {(int)e.StatusCode} {e.ErrorCode}: {e.Message}"),
        AmazonClientException or HttpRequestException or TimeoutException => new(FailureClass.Unavailable, $"{call}: {error.Message}"),
        OperationCanceledException => new(FailureClass.Unavailable, $"{call}: no answer in time"),
        _ => new(FailureClass.Unavailable, $"{call}: {error.GetType().Name}"),
    };

    private static FailureClass ClassOf(AmazonServiceException error) =>
        error.StatusCode == HttpStatusCode.TooManyRequests || s_throttling.Contains(error.ErrorCode ?? "") ? FailureClass.Throttled
        : (int)error.StatusCode is >= 400 and < 500 ? FailureClass.Refused
        : FailureClass.Unavailable;
}
