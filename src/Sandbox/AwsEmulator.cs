using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Amazon;
using Microsoft.AspNetCore.WebUtilities;

namespace Sandbox;

/// <summary>
/// Emulates AWS STS (AssumeRole, AssumeRoleWithWebIdentity, GetCallerIdentity) and AWS IoT (DescribeEndpoint) over HTTP, in one server. It verifies signatures,
/// enforces STS's published limits and returns AWS's own errors, and any fault can be injected. By default, any role of any account can be assumed;
/// <see cref="AddRole"/> and <see cref="OnlyKnownRoles"/> restrict that.
/// </summary>
public sealed class AwsEmulator : IAsyncDisposable
{
    private const string WithWebIdentity = "AssumeRoleWithWebIdentity";
    private const int SessionsBetweenRemovals = 10_000;
    private const string Base32 = "abcdefghijklmnopqrstuvwxyz234567";

    private readonly TimeProvider _time;
    private readonly string _region;
    private readonly ConcurrentDictionary<string, AwsCredentials> _known = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, AwsSession> _sessions = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, AwsRole> _roles = new(StringComparer.Ordinal);
    private readonly AwsFaults _faults = new();
    private readonly WebIdentities _webIdentities = new();
    private LocalServer _server = null!;
    private int _issued;

    private AwsEmulator(TimeProvider time, string account, string region)
    {
        _time = time;
        _region = region;

        // AWS's own documentation uses this pair, so every secret scanner recognizes it as an example.
        BaseCredentials = AddBaseCredentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", account);
    }

    /// <summary>Raised with all credentials that any emulator of this process creates or is given.</summary>
    public static event Action<AwsCredentials>? Known;

    /// <summary>The address of both services: <c>http://127.0.0.1:PORT</c>, without a trailing slash.</summary>
    public string Url => $"http://127.0.0.1:{_server.Port}";

    /// <summary>The key pair that exists from the start.</summary>
    public AwsCredentials BaseCredentials { get; }

    /// <summary>Every call, including failed ones.</summary>
    public CallLog<AwsCall> Calls { get; } = new();

    /// <summary>Whether only roles from <see cref="AddRole"/> may be assumed. Default: false.</summary>
    public bool OnlyKnownRoles { get; set; }

    /// <summary>
    /// Whether a signature older or newer than 5 minutes is rejected. Default: true. A test turns it off when it moves the emulator's clock while an SDK signs
    /// by the system's.
    /// </summary>
    public bool CheckSignatureDate { get; set; } = true;

    /// <summary>
    /// Ends every session after this time at the latest, although STS grants no less than 15 minutes, so that a test sees credentials expire. Default: null, as
    /// requested.
    /// </summary>
    public TimeSpan? LongestSession { get; set; }

    /// <summary>The AWS SDK's own environment variables, which direct a process to this emulator.</summary>
    public IReadOnlyDictionary<string, string> EnvironmentVariables => new Dictionary<string, string>
    {
        ["AWS_ACCESS_KEY_ID"] = BaseCredentials.AccessKeyId,
        ["AWS_SECRET_ACCESS_KEY"] = BaseCredentials.SecretAccessKey,
        ["AWS_REGION"] = _region,
        ["AWS_ENDPOINT_URL_STS"] = Url,
        ["AWS_ENDPOINT_URL_IOT"] = Url,
    };

    /// <summary>Whether one of <see cref="EnvironmentVariables"/> is a part of <see cref="BaseCredentials"/>.</summary>
    /// <param name="variable">The variable's name.</param>
    /// <returns>Whether it is the key id or the secret key.</returns>
    public static bool IsKey(string variable) => variable is "AWS_ACCESS_KEY_ID" or "AWS_SECRET_ACCESS_KEY";

    /// <summary>Starts the emulator.</summary>
    /// <param name="port">0 lets the system pick one.</param>
    /// <param name="time">The clock for expirations and signature dates. Default: the system's clock.</param>
    /// <param name="account">The account of <see cref="BaseCredentials"/>.</param>
    /// <param name="region">The region in <see cref="EnvironmentVariables"/>. Calls may be signed for any.</param>
    /// <returns>The running emulator.</returns>
    public static async Task<AwsEmulator> StartAsync(
        int port = 0, TimeProvider? time = null, string account = "111122223333", string region = "ap-northeast-1")
    {
        var emulator = new AwsEmulator(time ?? TimeProvider.System, account, region);
        emulator._server = await LocalServer.StartAsync(port, emulator.RespondAsync);
        return emulator;
    }

    /// <summary>Adds another base key pair.</summary>
    /// <param name="accessKeyId">The access key id.</param>
    /// <param name="secretAccessKey">The secret key.</param>
    /// <param name="account">The account it belongs to.</param>
    /// <param name="partition">The account's partition, such as <c>aws-cn</c>. Regions of other partitions reject the key.</param>
    /// <returns>The credentials.</returns>
    public AwsCredentials AddBaseCredentials(string accessKeyId, string secretAccessKey, string account, string partition = "aws") =>
        Know(new AwsCredentials(
            accessKeyId,
            secretAccessKey,
            SessionToken: null,
            Expiration: null,
            account,
            $"arn:{partition}:iam::{account}:user/gateway",
            $"AIDA{Unique(account, 17).ToUpperInvariant()}"));

    /// <summary>
    /// Opens a role session without a call, as an instance profile or a web identity does. An AssumeRole call signed with it is role chaining.
    /// </summary>
    /// <param name="roleArn">The role.</param>
    /// <param name="sessionName">The session's name.</param>
    /// <param name="lifetime">The lifetime of the session; its end is truncated to whole seconds.</param>
    /// <param name="policy">The session policy; null: none.</param>
    /// <param name="tags">The session's tags; null: none.</param>
    /// <param name="region">The region of the STS endpoint that grants it. Default: the emulator's.</param>
    /// <returns>The session's credentials.</returns>
    public AwsCredentials IssueRoleSession(
        string roleArn,
        string sessionName,
        TimeSpan lifetime,
        string? policy = null,
        IEnumerable<KeyValuePair<string, string>>? tags = null,
        string? region = null)
    {
        var arn = roleArn.Split(':');
        var account = arn[4];
        var roleName = roleArn.Split('/')[^1];
        var session = new AwsCredentials(
            $"ASIA{RandomNumberGenerator.GetString(Base32.ToUpperInvariant(), 16)}",
            RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 40),
            $"IQoJb3JpZ2luX2Vj{Convert.ToBase64String(RandomNumberGenerator.GetBytes(600))}",
            DateTimeOffset.FromUnixTimeSeconds((_time.GetUtcNow() + lifetime).ToUnixTimeSeconds()),
            account,
            $"arn:{arn[1]}:sts::{account}:assumed-role/{roleName}/{sessionName}",
            $"AROA{Unique(roleArn, 17).ToUpperInvariant()}:{sessionName}");
        // A load test would fill the memory.
        if (Interlocked.Increment(ref _issued) % SessionsBetweenRemovals == 0) RemoveExpired();
        _sessions[session.AccessKeyId] = new AwsSession(
            session,
            region ?? _region,
            [.. new[] { policy, _roles.GetValueOrDefault(roleArn)?.Policy }.OfType<string>()],
            (tags ?? []).ToDictionary(StringComparer.OrdinalIgnoreCase));
        return Know(session);
    }

    /// <summary>Adds a role with conditions. Adding the same ARN again replaces them.</summary>
    /// <param name="role">The role.</param>
    public void AddRole(AwsRole role) => _roles[role.Arn] = role;

    /// <summary>Makes an account trust an OpenID provider. The role decides which of its subjects may assume it.</summary>
    /// <param name="account">The account.</param>
    /// <param name="issuer">The issuer's address. Its discovery document and keys are read over HTTP.</param>
    /// <param name="audiences">The accepted audiences of its tokens.</param>
    public void AddIdentityProvider(string account, string issuer, params IReadOnlyList<string> audiences) => _webIdentities.Add(account, issuer, audiences);

    /// <summary>Revokes credentials, as when a key is deleted.</summary>
    /// <param name="credentials">The credentials.</param>
    public void Revoke(AwsCredentials credentials)
    {
        _known.TryRemove(credentials.AccessKeyId, out _);
        _sessions.TryRemove(credentials.AccessKeyId, out _);
    }

    /// <summary>
    /// Injects a fault from now on, for calls with a valid signature. Faults are applied in the order of injection; the first one that determines the response
    /// ends the call.
    /// </summary>
    /// <param name="fault">The fault.</param>
    /// <param name="action">The action that fails, such as <c>AssumeRole</c>. Default: all.</param>
    /// <param name="when">Selects the calls that fail. Default: all.</param>
    /// <param name="times">How many calls fail. Default: all until the fault is removed.</param>
    /// <returns>Removes the fault when disposed, and lets calls that hang on it continue.</returns>
    public IDisposable Inject(AwsFault fault, string? action = null, Func<AwsCall, bool>? when = null, int? times = null) =>
        _faults.Add(fault, action, when, times);

    /// <summary>Removes every fault, and lets hanging calls continue.</summary>
    public void ClearFaults() => _faults.Clear();

    /// <summary>The number of calls of an action since the start or the last <c>Calls.Clear()</c>.</summary>
    /// <param name="action">The action, such as <c>AssumeRole</c>.</param>
    /// <returns>The count.</returns>
    public int Count(string action) => Calls.Count(call => call.Action == action);

    /// <summary>The address that DescribeEndpoint returns for <c>iot:Data-ATS</c>. It is unique to account and region, and always the same.</summary>
    /// <param name="account">The account of the calling credentials.</param>
    /// <param name="region">The region that the call is signed for.</param>
    /// <returns>A host name.</returns>
    public static string IotEndpoint(string account, string region) =>
        $"{EndpointPrefix(account, region)}-ats.iot.{region}.{Domain(region)}";

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _webIdentities.Dispose();
    }

    /// <summary>The emulator's clock.</summary>
    internal TimeProvider Time => _time;

    /// <summary>The role session of an access key id, expired or not; null if it is unknown, revoked or no session's.</summary>
    internal AwsSession? FindSession(string accessKeyId) => _sessions.GetValueOrDefault(accessKeyId);

    private void RemoveExpired()
    {
        var now = _time.GetUtcNow();
        foreach (var session in _sessions.Values.Where(session => session.Credentials.Expiration <= now)) Revoke(session.Credentials);
    }

    private AwsCredentials Know(AwsCredentials credentials)
    {
        Known?.Invoke(credentials);
        return _known[credentials.AccessKeyId] = credentials;
    }

    private async Task RespondAsync(HttpContext context, CancellationToken cancellationToken)
    {
        // The signature covers the body's bytes, so they are kept, and the form is read from them.
        using var buffer = new MemoryStream();
        await context.Request.Body.CopyToAsync(buffer, cancellationToken);
        var body = buffer.ToArray();
        using var reader = new FormReader(Encoding.UTF8.GetString(body));
        var form = new FormCollection(await reader.ReadFormAsync(cancellationToken));

        var isIot = context.Request.Path == "/endpoint";
        var protocol = isIot ? AwsProtocol.Iot : AwsProtocol.Sts;
        var action = isIot ? "DescribeEndpoint" : form["Action"].ToString();
        var signature = AwsSignature.Read(context.Request);
        var call = new AwsCall
        {
            Action = action,
            Region = signature?.Region ?? "",
            AccessKeyId = signature?.AccessKeyId ?? "",
            At = _time.GetUtcNow(),
            AssumeRole = action is "AssumeRole" or WithWebIdentity ? AssumeRoleInput.Read(form) : null,
            EndpointType = isIot ? context.Request.Query["endpointType"].FirstOrDefault() : null,
        };
        // Take the faults before the call is recorded: a fault that is injected after the call was observed applies to the next one.
        var faults = _faults.Take(call);
        Calls.Add(call);

        // SDKs correct their clock by this header.
        context.Response.Headers.Date = call.At.ToString("R", CultureInfo.InvariantCulture);
        var requestId = Guid.NewGuid().ToString();
        context.Response.Headers["x-amzn-RequestId"] = requestId;
        try
        {
            // The token authenticates a web identity; the request is not signed.
            var caller = action == WithWebIdentity ? null : Authenticate(context.Request, body, signature, protocol);
            // AWS ignores unknown parameters. Here a typo must not silently select the default.
            if (isIot && context.Request.Query.Keys.FirstOrDefault(static name => name != "endpointType") is { } unknown)
                throw new AwsErrorException("InvalidRequestException", StatusCodes.Status400BadRequest,
                    $"{unknown} is no parameter of DescribeEndpoint. Did you mean \"endpointType\"?");
            await RespondAsync(context, call, caller, faults, form["WebIdentityToken"], protocol, requestId, cancellationToken);
        }
        catch (AwsErrorException error)
        {
            call.ErrorCode = error.Code;
            call.Status = error.Status;
            if (isIot) context.Response.Headers["x-amzn-ErrorType"] = error.Code;
            await protocol.WriteAsync(context.Response, error.Status, protocol.WriteError(error, requestId), cancellationToken);
        }
    }

    private async Task RespondAsync(
        HttpContext context,
        AwsCall call,
        AwsCredentials? caller,
        IReadOnlyList<(AwsFault Fault, Task Removed)> faults,
        string? webIdentityToken,
        AwsProtocol protocol,
        string requestId,
        CancellationToken cancellationToken)
    {
        foreach (var (fault, removed) in faults)
        {
            if (fault.DelayBefore is { } delay) await Task.Delay(delay, cancellationToken);
            if (fault.HangsUntilRemoved) await removed.WaitAsync(cancellationToken);
            if (fault.Exception is { } error) throw new AwsErrorException(error.Code, error.Status, error.Message);
            if (fault.AbortsConnection)
            {
                context.Abort();
                return;
            }

            if (fault.RawResponse is var (status, raw))
            {
                call.Status = status;
                await protocol.WriteAsync(context.Response, status, raw, cancellationToken);
                return;
            }
        }

        var response = call.Action switch
        {
            "AssumeRole" => AssumeRole(call, caller!, requestId, [.. faults.Select(each => each.Fault)]),
            WithWebIdentity => await AssumeRoleWithWebIdentityAsync(
                call, webIdentityToken, requestId, [.. faults.Select(each => each.Fault)], cancellationToken),
            "GetCallerIdentity" => AwsProtocol.StsResponse(
                call.Action, requestId, ("Arn", caller!.Arn), ("UserId", caller.UserId), ("Account", caller.Account)),
            "DescribeEndpoint" => DescribeEndpoint(call, caller!, [.. faults.Select(each => each.Fault)]),
            _ => throw new AwsErrorException(
                "InvalidAction", StatusCodes.Status400BadRequest, $"Could not find operation {call.Action} for version 2011-06-15"),
        };
        call.Status = StatusCodes.Status200OK;
        if (faults.Any(each => each.Fault.TruncatesResponse)) response = response[..(response.Length / 2)];
        await protocol.WriteAsync(context.Response, StatusCodes.Status200OK, response, cancellationToken);
    }

    private AwsCredentials Authenticate(HttpRequest request, byte[] body, AwsSignature? signature, AwsProtocol protocol)
    {
        if (signature is null) throw protocol.SignatureError(AwsSignatureProblem.Missing);
        if (signature.FindScopeError(request, protocol.Service, CheckSignatureDate ? _time.GetUtcNow() : null) is { } scopeError)
            throw protocol.SignatureError(AwsSignatureProblem.DoesNotMatch, scopeError);

        var token = request.Headers["X-Amz-Security-Token"].FirstOrDefault();
        if (!_known.TryGetValue(signature.AccessKeyId, out var credentials) || credentials.SessionToken != token
            || credentials.Arn.Split(':')[1] != Partition(signature.Region))
            throw protocol.SignatureError(AwsSignatureProblem.UnknownKey);
        if (credentials.Expiration <= _time.GetUtcNow()) throw protocol.SignatureError(AwsSignatureProblem.Expired);
        if (!signature.Matches(request, body, credentials.SecretAccessKey)) throw protocol.SignatureError(AwsSignatureProblem.DoesNotMatch);
        return credentials;
    }

    private string AssumeRole(AwsCall call, AwsCredentials caller, string requestId, IReadOnlyList<AwsFault> faults)
    {
        var input = call.AssumeRole!;
        var (duration, packedPolicySize) = AssumeRoleLimits.Check(input, roleChaining: caller.SessionToken is not null);
        var isKnown = _roles.TryGetValue(input.RoleArn!, out var role);
        if (input.RoleArn!.Split(':')[1] != Partition(call.Region)
            || (OnlyKnownRoles && !isKnown)
            || (role?.ExternalId is { } externalId && externalId != input.ExternalId))
            throw AwsErrorException.Denied(caller.Arn, "sts:AssumeRole", input.RoleArn!);
        if (duration > role?.MaxSessionDuration)
            throw AwsErrorException.Validation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");

        var values = Grant(call, duration, faults);
        if (input.SourceIdentity is { } sourceIdentity) values.Add(("SourceIdentity", sourceIdentity));
        if (packedPolicySize > 0) values.Add(("PackedPolicySize", packedPolicySize.ToString(CultureInfo.InvariantCulture)));
        return AwsProtocol.StsResponse(call.Action, requestId, [.. values]);
    }

    private async Task<string> AssumeRoleWithWebIdentityAsync(
        AwsCall call, string? token, string requestId, IReadOnlyList<AwsFault> faults, CancellationToken cancellationToken)
    {
        var input = call.AssumeRole!;
        var (duration, packedPolicySize) = AssumeRoleLimits.Check(input, roleChaining: false);
        var (issuer, audience, subject) = await _webIdentities.CheckAsync(input.RoleArn!.Split(':')[4], token, _time.GetUtcNow(), cancellationToken);
        if (!_roles.TryGetValue(input.RoleArn, out var role) || role.WebIdentitySubject != subject)
            throw new AwsErrorException("AccessDenied", StatusCodes.Status403Forbidden, "Not authorized to perform sts:AssumeRoleWithWebIdentity");
        if (duration > role.MaxSessionDuration)
            throw AwsErrorException.Validation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");

        var values = Grant(call, duration, faults);
        values.AddRange([("SubjectFromWebIdentityToken", subject), ("Provider", issuer), ("Audience", audience)]);
        if (packedPolicySize > 0) values.Add(("PackedPolicySize", packedPolicySize.ToString(CultureInfo.InvariantCulture)));
        return AwsProtocol.StsResponse(call.Action, requestId, [.. values]);
    }

    private List<(string, string)> Grant(AwsCall call, TimeSpan duration, IReadOnlyList<AwsFault> faults)
    {
        var lifetime = faults.Select(fault => fault.Lifetime).FirstOrDefault(lifetime => lifetime is not null) ?? duration;
        if (LongestSession < lifetime) lifetime = LongestSession.Value;
        var input = call.AssumeRole!;
        // A web identity's call is not signed, so it names no region.
        var region = call.Region.Length > 0 ? call.Region : null;
        var issued = call.Issued = IssueRoleSession(input.RoleArn!, input.RoleSessionName!, lifetime, input.Policy, input.Tags, region);
        List<(string, string)> values =
        [
            ("AssumedRoleUser/AssumedRoleId", issued.UserId),
            ("AssumedRoleUser/Arn", issued.Arn),
        ];
        if (!faults.Any(fault => fault.LeavesCredentialsOut))
        {
            values.Add(("Credentials/AccessKeyId", issued.AccessKeyId));
            values.Add(("Credentials/SecretAccessKey", issued.SecretAccessKey));
            values.Add(("Credentials/SessionToken", issued.SessionToken!));
            values.Add(("Credentials/Expiration", AwsProtocol.Time(issued.Expiration!.Value)));
        }

        return values;
    }

    private static string DescribeEndpoint(AwsCall call, AwsCredentials caller, IReadOnlyList<AwsFault> faults)
    {
        var fault = faults.FirstOrDefault(fault => fault.ReplacesEndpoint);
        var prefix = EndpointPrefix(caller.Account, call.Region);
        var address = call.EndpointType switch
        {
            "iot:Data-ATS" => IotEndpoint(caller.Account, call.Region),
            null or "iot:Data" => $"{prefix}.iot.{call.Region}.{Domain(call.Region)}",
            "iot:CredentialProvider" => $"{prefix}.credentials.iot.{call.Region}.{Domain(call.Region)}",
            "iot:Jobs" => $"{prefix}.jobs.iot.{call.Region}.{Domain(call.Region)}",
            _ => throw new AwsErrorException(
                "InvalidRequestException", StatusCodes.Status400BadRequest, $"Invalid endpointType: {call.EndpointType}"),
        };
        return new JsonObject { ["endpointAddress"] = fault is null ? address : fault.EndpointAddress }.ToJsonString();
    }

    private static string EndpointPrefix(string account, string region) => $"a{Unique($"{account}/{region}", 13)}";

    private static string Domain(string region) => RegionEndpoint.GetBySystemName(region).PartitionDnsSuffix;

    private static string Partition(string region) => RegionEndpoint.GetBySystemName(region).PartitionName;

    /// <summary>Derives letters and digits from a text, the same in every run.</summary>
    private static string Unique(string text, int length) =>
        string.Concat(SHA256.HashData(Encoding.UTF8.GetBytes(text)).Take(length).Select(each => Base32[each % Base32.Length]));
}
