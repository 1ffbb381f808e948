using System.Net;
using System.Net.Http.Headers;
using IotCredentials.Failures;
using IotCredentials.Profiles;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace IotCredentials.OrganizationDirectory;

/// <summary>Asks the directory about one organization. It caches nothing.</summary>
internal sealed class DirectoryClient : IDisposable
{
    private const int MostBytes = 64 * 1024;
    private static readonly TimeSpan s_connectionLifetime = TimeSpan.FromMinutes(2);

    private readonly IHostEnvironment _host;
    private readonly TimeProvider _time;
    private readonly TimeSpan _timeout;
    private readonly HttpClient _client;

    public DirectoryClient(IOptions<IotCredentialsOptions> options, IHostEnvironment host, TimeProvider time)
    {
        (_host, _time, Options) = (host, time, options.Value.Directory);
        _timeout = Options is { Timeout: var given } && given < options.Value.CallTimeout ? given : options.Value.CallTimeout;
        _client = new HttpClient(new SocketsHttpHandler
        {
            // A redirect could lead the token, and the question where an organization lives, to anybody. A proxy of the environment could as well.
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = _timeout,
            PooledConnectionLifetime = s_connectionLifetime,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        _client.DefaultRequestHeaders.UserAgent.ParseAdd("iot-gateway");
        _client.DefaultRequestHeaders.Accept.ParseAdd("application/json");
    }

    /// <summary>The directory's options; null if there was none when the host started.</summary>
    public DirectoryOptions? Options { get; }

    /// <summary>The directory's address for messages: without path and query.</summary>
    public string ShownAddress => Options?.Address is { } address && Uri.TryCreate(address, UriKind.Absolute, out var uri)
        ? uri.GetLeftPart(UriPartial.Authority)
        : "";

    /// <summary>Where the organization lives; null if the directory does not know it.</summary>
    /// <exception cref="VendingException">The directory failed, or its response is refused. The message is the cause.</exception>
    public async Task<OrganizationPlace?> AskAsync(OrganizationId organization, CancellationToken cancellation = default) =>
        (await AskAsync(organization, isProbe: false, cancellation)).Place;

    /// <summary>Finds out whether the directory responds, by an id that it need not know and may even reject. Returns the response's status.</summary>
    /// <exception cref="VendingException">The directory failed, or its response is refused. The message is the cause.</exception>
    public async Task<HttpStatusCode> ProbeAsync(OrganizationId organization, CancellationToken cancellation = default) =>
        (await AskAsync(organization, isProbe: true, cancellation)).Status;

    private async Task<(HttpStatusCode Status, OrganizationPlace? Place)> AskAsync(
        OrganizationId organization, bool isProbe, CancellationToken cancellation)
    {
        if (Options is not { Address: { } template } options)
            throw new VendingException(FailureClass.Refused, "IotCredentials:Directory was not set when the gateway started: restart it");
        // An id holds only characters that need no escaping.
        var address = new Uri(template.Replace("{organizationId}", organization.Value, StringComparison.Ordinal));
        using var deadline = new CancellationTokenSource(_timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellation);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            if (options.TokenPath is { } path)
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", ReadToken(path));
            // Only a response that is used is read, so that an error with a long page is still a failure and not refused for its length.
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            switch (response.StatusCode)
            {
                case HttpStatusCode.OK:
                    await response.Content.LoadIntoBufferAsync(MostBytes, either.Token);
                    return (response.StatusCode, DirectoryResponse.Read(await response.Content.ReadAsByteArrayAsync(either.Token), organization, options));
                // An ingress without a backend, or a server without this path. A directory's word is JSON, a line of text or nothing.
                case HttpStatusCode.NotFound when IsPage(response):
                    throw Failed("its status is 404, with a page: something else responds there, or the path is wrong");
                case HttpStatusCode.NotFound:
                case HttpStatusCode.BadRequest or HttpStatusCode.Gone or HttpStatusCode.UnprocessableEntity when isProbe:
                    return (response.StatusCode, null);
                case var status:
                    throw new VendingException(
                        (int)status is >= 300 and < 400 ? FailureClass.Refused : FailureClass.Unavailable, $"its status is {(int)status}");
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw Failed($"no response within {_timeout.TotalSeconds} s");
        }
        catch (HttpRequestException e)
        {
            throw e.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded
                ? new VendingException(FailureClass.Refused, $"its response is longer than {MostBytes / 1024} KiB")
                : Failed(FailureText.Of(e, address, proxy: null));
        }
        catch (Exception e) when (e is not VendingException and not OperationCanceledException)
        {
            throw Failed(FailureText.Kinds(e));
        }
    }

    public void Dispose() => _client.Dispose();

    private static bool IsPage(HttpResponseMessage response) => response.Content.Headers.ContentType?.MediaType is { } type
        && !type.Equals("text/plain", StringComparison.OrdinalIgnoreCase) && !type.EndsWith("json", StringComparison.OrdinalIgnoreCase);

    // Read for every call, which is rare: a token that is rotated is used at once.
    private string ReadToken(string path) =>
        DirectoryToken.Read(path, _host.ContentRootFileProvider, out var problem) ?? throw Failed($"the file of Directory:TokenPath {problem}");

    private static VendingException Failed(string cause) => new(FailureClass.Unavailable, cause);
}
