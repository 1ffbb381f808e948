using System.Net;
using System.Text.Json;
using Amazon.Runtime;
using Amazon.Runtime.Credentials.Internal;
using Amazon.Runtime.Endpoints;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Auth;
using Amazon.Runtime.Internal.Transform;
using Amazon.Runtime.Internal.Util;

namespace IotCredentials.Aws;

// DescribeEndpoint of the AWS IoT control plane, on the SDK's own runtime: the SDK handles credentials, SigV4, retries and AWS_ENDPOINT_URL_IOT. The names are
// those of the package AWSSDK.IoT, so that it can replace this file.

internal interface IAmazonIoT : IDisposable
{
    Task<DescribeEndpointResponse> DescribeEndpointAsync(DescribeEndpointRequest request, CancellationToken cancellationToken = default);
}

internal sealed class DescribeEndpointRequest : AmazonWebServiceRequest
{
    public string EndpointType { get; set; } = "iot:Data-ATS";
}

internal sealed class DescribeEndpointResponse : AmazonWebServiceResponse
{
    public string? EndpointAddress { get; set; }
}

internal sealed class AmazonIoTException(string message, Exception? inner, ErrorType type, string code, string requestId, HttpStatusCode status)
    : AmazonServiceException(message, inner, type, code, requestId, status);

internal sealed class AmazonIoTConfig : ClientConfig
{
    public AmazonIoTConfig()
        : base(new Amazon.Runtime.Internal.DefaultConfigurationProvider(
            Amazon.SecurityToken.AmazonSecurityTokenServiceDefaultConfiguration.GetAllConfigurations()))
    {
        ServiceId = "IoT";
        AuthenticationServiceName = "iot";
        EndpointProvider = new IoTEndpointProvider();
    }

    public override string RegionEndpointServiceName => "iot";

    public override string ServiceVersion => "2015-05-28";

    public override string UserAgent => Amazon.Util.Internal.InternalSDKUtils.BuildUserAgentString("IoT", "4.0.0");

    public override Endpoint DetermineServiceOperationEndpoint(ServiceOperationEndpointParameters parameters) =>
        EndpointProvider.ResolveEndpoint(IoTEndpointResolver.Parameters(this));
}

internal sealed class AmazonIoTClient : AmazonServiceClient, IAmazonIoT
{
    public AmazonIoTClient(AWSCredentials credentials, AmazonIoTConfig config) : base(credentials, config) { }

    protected override IServiceMetadata ServiceMetadata { get; } = new IoTMetadata();

    public Task<DescribeEndpointResponse> DescribeEndpointAsync(DescribeEndpointRequest request, CancellationToken cancellationToken = default) =>
        InvokeAsync<DescribeEndpointResponse>(
            request,
            new InvokeOptions { RequestMarshaller = DescribeEndpointMarshaller.Instance, ResponseUnmarshaller = DescribeEndpointUnmarshaller.Instance },
            cancellationToken);

    protected override void CustomizeRuntimePipeline(RuntimePipeline pipeline)
    {
        pipeline.RemoveHandler<EndpointResolver>();
        pipeline.AddHandlerAfter<Marshaller>(new IoTEndpointResolver());
        pipeline.AddHandlerAfter<Marshaller>(new IoTAuthSchemeHandler());
    }
}

internal sealed class IoTMetadata : IServiceMetadata
{
    public string ServiceId => "IoT";

    public IDictionary<string, string> OperationNameMapping { get; } = new Dictionary<string, string>();
}

internal sealed class IoTAuthSchemeHandler : BaseAuthResolverHandler
{
    protected override List<IAuthSchemeOption> ResolveAuthOptions(IExecutionContext executionContext) => AuthSchemeOption.DEFAULT_SIGV4;
}

internal sealed class IoTEndpointResolver : BaseEndpointResolver
{
    public static EndpointParameters Parameters(IClientConfig config)
    {
        var parameters = new EndpointParameters();
        parameters["Region"] = config.RegionEndpoint?.SystemName ?? config.AuthenticationRegion;
        parameters["Endpoint"] = config.ServiceURL;
        parameters["UseFIPS"] = config.UseFIPSEndpoint;
        parameters["UseDualStack"] = config.UseDualstackEndpoint;
        return parameters;
    }

    protected override void ServiceSpecificHandler(IExecutionContext executionContext, EndpointParameters parameters) { }

    protected override EndpointParameters MapEndpointsParameters(IRequestContext requestContext) => Parameters(requestContext.ClientConfig);
}

/// <summary>
/// Resolves the control plane's address by the rules that AWS publishes with its service models: <c>iot</c> or <c>iot-fips</c>, the region, and the partition's
/// domain. As for STS, a custom address cannot be combined with FIPS or dual-stack.
/// </summary>
internal sealed class IoTEndpointProvider : IEndpointProvider
{
    public Endpoint ResolveEndpoint(EndpointParameters parameters)
    {
        var (fips, dualStack) = ((bool)parameters["UseFIPS"], (bool)parameters["UseDualStack"]);
        if (parameters["Endpoint"] is string given) return !fips && !dualStack ? new Endpoint(given) : throw NoSuchAddress();
        var region = (string)parameters["Region"];
        var partition = AwsPartition.Of(region);
        return (!fips || partition.HasFips) && (!dualStack || partition.HasDualStack)
            ? new Endpoint($"https://iot{(fips ? "-fips" : "")}.{region}.{(dualStack ? partition.DualStackDomain : partition.Domain)}")
            : throw NoSuchAddress();
    }

    // The SDK reports the same for STS, in a longer message.
    private static AmazonClientException NoSuchAddress() => new("FIPS or DualStack, and an address or a partition that has none");
}

internal sealed class DescribeEndpointMarshaller : IMarshaller<IRequest, AmazonWebServiceRequest>
{
    public static readonly DescribeEndpointMarshaller Instance = new();

    public IRequest Marshall(AmazonWebServiceRequest input)
    {
        var request = new DefaultRequest(input, "Amazon.IoT") { HttpMethod = "GET", ResourcePath = "/endpoint", UseQueryString = true };
        request.Parameters.Add("endpointType", ((DescribeEndpointRequest)input).EndpointType);
        return request;
    }
}

internal sealed class DescribeEndpointUnmarshaller : JsonResponseUnmarshaller
{
    public static readonly DescribeEndpointUnmarshaller Instance = new();

    public override AmazonWebServiceResponse Unmarshall(JsonUnmarshallerContext input)
    {
        using var document = JsonDocument.Parse(input.Stream);
        return new DescribeEndpointResponse
        {
            EndpointAddress = document.RootElement.TryGetProperty("endpointAddress", out var address) ? address.GetString() : null,
        };
    }

    public override AmazonServiceException UnmarshallException(JsonUnmarshallerContext input, Exception innerException, HttpStatusCode statusCode)
    {
        var reader = new StreamingUtf8JsonReader(input.Stream);
        var error = JsonErrorResponseUnmarshaller.GetInstance().Unmarshall(input, ref reader);
        return new AmazonIoTException(error.Message, innerException, error.Type, error.Code, error.RequestId, statusCode);
    }
}
