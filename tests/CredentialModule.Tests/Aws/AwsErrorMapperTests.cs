using System.Net;
using Amazon.Runtime;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;
using IotCredentials.Aws;
using IotCredentials.Failures;
using Xunit;

namespace IotCredentials.Tests.Aws;

/// <summary>What an error of AWS means for vending.</summary>
public sealed class AwsErrorMapperTests
{
    [Theory]
    // The SDK's own lists: RetryPolicy.ThrottlingErrorCodes and TimeoutErrorCodesToRetryOn.
    [InlineData("Throttling", 400, "Throttled")]
    [InlineData("ThrottlingException", 400, "Throttled")]
    [InlineData("ThrottledException", 400, "Throttled")]
    [InlineData("RequestThrottledException", 400, "Throttled")]
    [InlineData("RequestThrottled", 400, "Throttled")]
    [InlineData("TooManyRequestsException", 400, "Throttled")]
    [InlineData("RequestLimitExceeded", 400, "Throttled")]
    [InlineData("BandwidthLimitExceeded", 400, "Throttled")]
    [InlineData("LimitExceededException", 400, "Throttled")]
    [InlineData("ProvisionedThroughputExceededException", 400, "Throttled")]
    [InlineData("TransactionInProgressException", 400, "Throttled")]
    [InlineData("PriorRequestNotComplete", 400, "Throttled")]
    [InlineData("SlowDown", 503, "Throttled")]
    [InlineData("Throttling", 503, "Throttled")]
    [InlineData("SomethingNew", 429, "Throttled")]
    [InlineData("RequestTimeout", 400, "Unavailable")]
    [InlineData("RequestTimeoutException", 400, "Unavailable")]
    [InlineData("IDPCommunicationError", 400, "Unavailable")]
    [InlineData("SomethingNew", 408, "Unavailable")]
    [InlineData("SomethingNew", 421, "Unavailable")]
    [InlineData("InternalFailure", 500, "Unavailable")]
    [InlineData("ServiceUnavailable", 503, "Unavailable")]
    [InlineData("GatewayTimeout", 504, "Unavailable")]
    [InlineData(null, 400, "Unavailable")]
    [InlineData(null, 403, "Unavailable")]
    [InlineData("AccessDenied", 403, "Refused")]
    [InlineData("ValidationError", 400, "Refused")]
    [InlineData("PackedPolicyTooLarge", 400, "Refused")]
    [InlineData("RegionDisabledException", 403, "Refused")]
    public void D14_a_code_means_what_the_SDK_makes_of_it(string? code, int status, string failure)
    {
        AmazonServiceException error = code == "IDPCommunicationError"
            ? new IDPCommunicationErrorException("hunter2", null, ErrorType.Sender, code, "id", (HttpStatusCode)status)
            : new AmazonSecurityTokenServiceException("hunter2", null, ErrorType.Sender, code, "id", (HttpStatusCode)status);

        var found = AwsErrorMapper.From(error, "sts:AssumeRole");

        Assert.Equal(failure, found.Failure.ToString());
        Assert.DoesNotContain("hunter2", found.Message, StringComparison.Ordinal);
        Assert.StartsWith(
            $"sts:AssumeRole: {status}{(code is null ? ", and the response is not one of AWS's" : $" {code}")}", found.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void D14_an_error_that_the_SDK_marks_as_retryable_is_no_refusal()
    {
        Assert.Equal(FailureClass.Unavailable, AwsErrorMapper.From(new MarkedException(throttles: false), "sts:AssumeRole").Failure);
        Assert.Equal(FailureClass.Throttled, AwsErrorMapper.From(new MarkedException(throttles: true), "sts:AssumeRole").Failure);
    }

    [Theory]
    [InlineData("D4 a secret in the place of the code", "wJalrXUtnFEMI7MDENGbPxRfiCYzq7Zk3mV0t")]
    [InlineData("D4 a line break in the code", "Access\nDenied")]
    [InlineData("D4 a long one", "AccessDeniedAccessDeniedAccessDeniedAccessDeniedAccessDeniedAccessDenied")]
    [InlineData("D4 a sentence", "Access denied for hunter2")]
    [InlineData("D4 a connection string", "password=hunter2")]
    public void D4_what_is_no_error_code_is_not_told(string name, string code)
    {
        var found = AwsErrorMapper.From(
            new AmazonSecurityTokenServiceException("hunter2", null, ErrorType.Sender, code, "id", HttpStatusCode.Forbidden), "sts:AssumeRole");

        Assert.Equal((name, "sts:AssumeRole: 403, and the response is not one of AWS's"), (name, found.Message));
        Assert.Equal(FailureClass.Unavailable, found.Failure);
    }

    [Theory]
    [InlineData(
        "User: arn:aws:iam::1:user/a is not authorized to perform: sts:TagSession on resource: arn:aws:iam::1:role/b",
        ": not authorized to perform sts:TagSession")]
    [InlineData("is not authorized to perform: hunter2", "")]
    [InlineData(
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ": SessionDuration is longer than the role's maximum session duration")]
    [InlineData(
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        ": a role's own session gets one hour at most: lower SessionDuration to 01:00:00")]
    [InlineData("The Canonical String for this request should have been 'POST x-amz-security-token:hunter2'", "")]
    public void D4_of_the_words_of_AWS_only_what_has_a_form_of_its_own_is_told(string message, string told) =>
        Assert.Equal(
            $"sts:AssumeRole: 403 AccessDenied{told}",
            AwsErrorMapper
                .From(
                    new AmazonSecurityTokenServiceException(message, null, ErrorType.Sender, "AccessDenied", "id", HttpStatusCode.Forbidden),
                    "sts:AssumeRole")
                .Message);

    /// <summary>Nothing else says what to correct in a session policy. Of any other error, AWS's own words are not told.</summary>
    [Theory]
    [InlineData("MalformedPolicyDocument", "Syntax errors in policy.", " (Syntax errors in policy.)")]
    [InlineData(
        "MalformedPolicyDocument", "Partition \"aws\" is not valid for resource \"arn:aws:iot:cn-north-1:111122223333:topic/o-acme/admin/*\".",
        " (Partition \"aws\" is not valid for resource \"arn:aws:iot:cn-north-1:111122223333:topic/o-acme/admin/*\".)")]
    [InlineData("MalformedPolicyDocument", "one\r\ntwo\u001b[31m\u00e9", " (one  two [31m)")]
    [InlineData("MalformedPolicyDocument", "password=hunter2", " (password=…)")]
    [InlineData("MalformedPolicyDocument", " \n ", "")]
    [InlineData("PackedPolicyTooLarge", "hunter2", "")]
    public void The_problem_of_a_session_policy_is_told(string code, string message, string told)
    {
        var found = Refused(code, message);

        Assert.Equal((FailureClass.Refused, $"sts:AssumeRole: 400 {code}: {AwsErrorMapper.ReasonOf(code)}{told}"), (found.Failure, found.Message));
    }

    [Fact]
    public void A_long_problem_of_a_session_policy_is_cut()
    {
        var found = Refused("MalformedPolicyDocument", string.Concat(Enumerable.Repeat("ab ", 9000)));

        Assert.EndsWith($" ({string.Concat(Enumerable.Repeat("ab ", 66))}ab…)", found.Message, StringComparison.Ordinal);
    }

    private static VendingException Refused(string code, string message) => AwsErrorMapper.From(
        new AmazonSecurityTokenServiceException(message, null, ErrorType.Sender, code, "id", HttpStatusCode.BadRequest), "sts:AssumeRole");

    private sealed class MarkedException(bool throttles) : AmazonServiceException("", ErrorType.Sender, "SomethingNew", "id", HttpStatusCode.BadRequest)
    {
        public override RetryableDetails Retryable { get; } = new(throttles);
    }
}
