using System.Globalization;
using System.Text;
using Gateway.Logs;

namespace Gateway.Commands;

/// <summary>
/// Standard output or standard error, as the commands write it: at once, and with an <see cref="OutputException"/> if it cannot be written. The console's own
/// writer drops what goes to a closed pipe, and a script would take half a table for the whole.
/// </summary>
internal sealed class CommandOutput : TextWriter
{
    private readonly string _name;
    private readonly Func<StandardOutput> _open;
    private StandardOutput? _output;

    private CommandOutput(string name, Func<StandardOutput> open) : base(CultureInfo.InvariantCulture) => (_name, _open) = (name, open);

    public override Encoding Encoding => Console.OutputEncoding;

    public static CommandOutput Standard() => new("standard output", StandardOutput.Open);

    public static CommandOutput Error() => new("standard error", StandardOutput.OpenError);

    public override void Write(char value) => Write([value]);

    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    public override void Write(string? value) => Write(value.AsSpan());

    public override void WriteLine(string? value) => Write(value + NewLine);

    public override void Write(ReadOnlySpan<char> buffer)
    {
        var bytes = new byte[Encoding.GetByteCount(buffer)];
        Encoding.GetBytes(buffer, bytes);
        try
        {
            (_output ??= _open()).Write(bytes);
        }
        catch (Exception e)
        {
            throw new OutputException($"{_name} cannot be written: {e.Message}", e);
        }
    }
}

/// <summary>The output of a command cannot be written: its disk is full, or its reader has closed the pipe.</summary>
internal sealed class OutputException(string message, Exception cause) : Exception(message, cause);
