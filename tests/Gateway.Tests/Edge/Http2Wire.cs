using System.Text;

namespace Gateway.Tests.Edge;

/// <summary>HTTP/2 frame by frame (RFC 9113), for what no client or server library would send or show.</summary>
internal static class Http2Wire
{
    public const byte Data = 0;
    public const byte Headers = 1;
    public const byte Reset = 3;
    public const byte Settings = 4;
    public const byte GoAway = 7;
    public const byte EndStream = 1;
    public const byte EndHeaders = 4;

    /// <summary>A client's first bytes, with settings.</summary>
    public static byte[] Preface { get; } = [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame(Settings, 0, 0, [])];

    public static byte[] Frame(byte type, byte flags, byte streamId, byte[] payload) =>
        [(byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length, type, flags, 0, 0, 0, streamId, .. payload];

    /// <summary>Fields, each a literal that is not indexed.</summary>
    public static byte[] Fields(params IEnumerable<(string Name, string Value)> fields) =>
        [.. fields.SelectMany(static field => (byte[])[0, .. Text(field.Name), .. Text(field.Value)])];

    /// <summary>A string literal of HPACK, without Huffman coding.</summary>
    public static byte[] Text(string text)
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        if (bytes.Length < 127) return [(byte)bytes.Length, .. bytes];
        var length = new List<byte> { 127 };
        var rest = bytes.Length - 127;
        for (; rest >= 128; rest /= 128) length.Add((byte)((rest % 128) + 128));
        return [.. length, (byte)rest, .. bytes];
    }

    /// <summary>The next frame; null when the connection ends.</summary>
    public static async Task<(byte Type, byte Flags, byte StreamId, byte[] Payload)?> ReadAsync(Stream stream, CancellationToken cancellation)
    {
        var head = new byte[9];
        if (await stream.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellation) < head.Length) return null;
        var payload = new byte[(head[0] << 16) | (head[1] << 8) | head[2]];
        await stream.ReadExactlyAsync(payload, cancellation);
        return (head[3], head[4], head[8], payload);
    }
}
