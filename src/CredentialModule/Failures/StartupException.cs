namespace IotCredentials.Failures;

/// <summary>The host cannot start as it is written or configured. The message says what to write.</summary>
/// <remarks>.NET prints an exception that ends a program, and the host logs it, each by <see cref="ToString"/>. A stack would hide the message.</remarks>
internal sealed class StartupException(string message) : InvalidOperationException(message)
{
    public override string ToString() => Message;
}
