using System.Buffers;
using System.Text;
using CredentialModule.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Edge;

/// <summary>
/// Refuses, before anything is decided by the path, a target that a service behind could read as another path than the one that is
/// authorized here, and a method that is nowhere allowed.
/// </summary>
internal sealed class PathGuard(RequestDelegate next, IReadOnlyList<string> methods)
{
    private static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string _allow = string.Join(", ", methods);

    public Task InvokeAsync(HttpContext context)
    {
        if (!IsUnambiguous(context.Features.Get<IHttpRequestFeature>()!.RawTarget)) return ErrorAnswer.WriteAsync(context, StatusCodes.Status400BadRequest);
        if (methods.Contains(context.Request.Method, StringComparer.Ordinal)) return next(context);
        context.Response.Headers.Allow = _allow;
        return ErrorAnswer.WriteAsync(context, StatusCodes.Status405MethodNotAllowed);
    }

    /// <summary>Whether everybody reads the same path out of a request target as it was sent.</summary>
    internal static bool IsUnambiguous(ReadOnlySpan<char> target)
    {
        if (target is "*") return true;
        if (target.IsEmpty || target[0] != '/') return false;
        var query = target.IndexOf('?');
        var path = query < 0 ? target : target[..query];
        if (path.Contains('#')) return false;

        Span<byte> small = stackalloc byte[512];
        var rented = path.Length > small.Length ? ArrayPool<byte>.Shared.Rent(path.Length) : null;
        try
        {
            var decoded = rented ?? small;
            return TryDecode(path, decoded, out var length) && IsPlain(decoded[..length]);
        }
        finally
        {
            if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static bool TryDecode(ReadOnlySpan<char> path, Span<byte> decoded, out int length)
    {
        length = 0;
        for (var i = 0; i < path.Length; i++)
        {
            var character = path[i];
            if (character is <= ' ' or > '~' or '\\') return false;
            var value = (byte)character;
            if (character == '%')
            {
                if (i + 2 >= path.Length || !char.IsAsciiHexDigit(path[i + 1]) || !char.IsAsciiHexDigit(path[i + 2])) return false;
                value = (byte)((Convert.FromHexString(path.Slice(i + 1, 2))[0]));
                i += 2;
                // What decodes to a separator, a parameter, or another escape is read as one thing here and as another one step further.
                if (value is (byte)'/' or (byte)'\\' or (byte)'%' or (byte)';' or (byte)'?' or (byte)'#') return false;
            }
            else if (character == ';')
            {
                return false;
            }

            if (value is < 0x20 or 0x7f) return false;
            decoded[length++] = value;
        }

        return true;
    }

    private static bool IsPlain(ReadOnlySpan<byte> path)
    {
        try
        {
            // Overlong forms and half characters are read differently by different decoders; C1 controls are controls as well.
            foreach (var character in s_strictUtf8.GetString(path))
            {
                if (char.IsControl(character)) return false;
            }
        }
        catch (DecoderFallbackException)
        {
            return false;
        }

        var rest = path[1..];
        while (true)
        {
            var end = rest.IndexOf((byte)'/');
            var segment = end < 0 ? rest : rest[..end];
            if (segment.SequenceEqual("."u8) || segment.SequenceEqual(".."u8)) return false;
            if (end < 0) return true;
            if (segment.IsEmpty) return false;
            rest = rest[(end + 1)..];
        }
    }
}
