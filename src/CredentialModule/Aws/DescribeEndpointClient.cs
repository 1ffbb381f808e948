using Amazon.Runtime;
using IotCredentials.Failures;
using IotCredentials.Profiles;
using IotCredentials.Telemetry;

namespace IotCredentials.Aws;

/// <summary>Calls DescribeEndpoint with the gateway's own credentials, or with the role that a profile names for it.</summary>
internal sealed class DescribeEndpointClient(AwsClients clients, OwnCredentials own, AssumeRoleClient sts, TimeProvider time, CredentialMetrics metrics)
{
    private const string Call = "iot:DescribeEndpoint";

    /// <summary>The data endpoint of the account, a host name.</summary>
    /// <exception cref="VendingException">The call failed, or its response holds no host name.</exception>
    public async Task<string> DescribeEndpointAsync(Profile profile, CancellationToken cancellation)
    {
        var region = profile.Region;
        if (profile.EndpointRoleArn is null)
            return await own.UseAsync(region, Call, clients.IoTUrl(region), credentials => SendAsync(region, credentials, cancellation), cancellation);

        var session = await sts.AssumeEndpointRoleAsync(profile, cancellation);
        try
        {
            return await SendAsync(region, session, cancellation);
        }
        catch (Exception e)
        {
            throw AwsErrorMapper.From(e, Call, clients.IoTUrl(region));
        }
    }

    private async Task<string> SendAsync(string region, AWSCredentials credentials, CancellationToken cancellation)
    {
        using var iot = clients.IoT(region, credentials);
        var begun = time.GetTimestamp();
        try
        {
            var address = (await iot.DescribeEndpointAsync(new DescribeEndpointRequest(), cancellation)).EndpointAddress;
            if (Uri.CheckHostName(address) != UriHostNameType.Dns)
                throw new VendingException(FailureClass.Unavailable, "the response of iot:DescribeEndpoint holds no host name");
            metrics.Called("DescribeEndpoint", time.GetElapsedTime(begun), failure: null);
            return address!;
        }
        catch (Exception e)
        {
            metrics.Called("DescribeEndpoint", time.GetElapsedTime(begun), (AwsErrorMapper.OfCredentials(e) ?? AwsErrorMapper.From(e, Call)).Failure);
            throw;
        }
    }
}
