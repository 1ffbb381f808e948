using System.Collections;
using Gateway.Commands;
using Xunit;

namespace Gateway.Tests.Commands;

public sealed class UnexpectedFailureTests
{
    [Theory]
    [InlineData("the command check", "check", "--config", "/etc")]
    [InlineData("the command explain", "explain", "--organization", "o-1", "--config=/etc")]
    [InlineData("the command doctor", "doctor", "--config", "/etc")]
    [InlineData("the gateway", "--config", "/etc")]
    public async Task A3_An_exception_that_nothing_expected_is_one_line_and_exit_code_2(string command, params string[] args)
    {
        // Variables that fail when they are asked for: no command expects that.
        var environment = new ProgramEnvironment("Test", new FailingVariables());
        using var error = new StringWriter();

        var exitCode = await GatewayProgram.InvokeAsync(args, environment, TextWriter.Null, error);

        Assert.Equal(2, exitCode);
        var line = Assert.Single(error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith(
            $"error: {command} ended unexpectedly with the configuration in \"/etc\": DivideByZeroException in Gateway.", line, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", line, StringComparison.Ordinal);
    }

    private sealed class FailingVariables : IReadOnlyDictionary<string, string?>
    {
        public int Count => 1;

        public IEnumerable<string> Keys => throw Failure();

        public IEnumerable<string?> Values => throw Failure();

        public string? this[string key] => throw Failure();

        public bool ContainsKey(string key) => throw Failure();

        public bool TryGetValue(string key, out string? value) => throw Failure();

        public IEnumerator<KeyValuePair<string, string?>> GetEnumerator() => throw Failure();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        private static DivideByZeroException Failure() => new("a secret");
    }
}
