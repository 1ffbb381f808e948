using System.Text.RegularExpressions;
using IotCredentials.Failures;
using IotCredentials.Telemetry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace IotCredentials.Profiles;

/// <summary>Provides the profiles in effect. A host that has profiles elsewhere than in options registers its own.</summary>
public interface IProfileProvider
{
    /// <summary>The profiles in effect. Reading them must not block.</summary>
    ProfileSet Current { get; }
}

/// <summary>The profiles of <see cref="IotCredentialsOptions"/>. A change that cannot be used leaves the previous profiles in effect.</summary>
internal sealed partial class OptionsProfileProvider : IProfileProvider, IDisposable
{
    private readonly IOptionsFactory<IotCredentialsOptions> _options;
    private readonly SectionName _section;
    private readonly IHostEnvironment _host;
    private readonly ILogger<OptionsProfileProvider> _logger;
    private readonly IReadOnlyList<IDisposable> _changes;
    private readonly Lock _reading = new();
    private volatile ProfileSet _current;

    /// <exception cref="StartupException">The options cannot be used.</exception>
    public OptionsProfileProvider(
        IOptionsFactory<IotCredentialsOptions> options, IEnumerable<IOptionsChangeTokenSource<IotCredentialsOptions>> sources, SectionName section,
        IHostEnvironment host, ILogger<OptionsProfileProvider> logger)
    {
        (_options, _section, _host, _logger) = (options, section, host, logger);
        try
        {
            _current = Read();
        }
        catch (Exception e) when (ProblemsOf(e) is { } problems)
        {
            throw new StartupException(string.Join('\n', problems));
        }

        // Not IOptionsMonitor: it throws what it cannot read at the source of the change.
        _changes = [.. sources.Select(source => ChangeToken.OnChange(source.GetChangeToken, Reload))];
    }

    public ProfileSet Current => _current;

    /// <summary>Reads the options again. If they cannot be used, the problems are logged.</summary>
    public void Reload()
    {
        try
        {
            lock (_reading) _current = Read();
        }
        catch (Exception e)
        {
            // Thrown on, it would end in the file watcher of the host's configuration.
            foreach (var problem in ProblemsOf(e) ?? [FailureText.Kinds(e)]) Log.ReloadRefused(_logger, problem);
        }
    }

    // Null if the failure is not about what is written in the configuration.
    private IEnumerable<string>? ProblemsOf(Exception failure) => failure switch
    {
        OptionsValidationException { Failures: var failures } => failures.Select(_section.In),
        // The binder's message quotes the value, so only its key is told.
        InvalidOperationException e when KeyInMessage().Match(e.Message) is { Success: true } key =>
            [$"{key.Groups[1].Value} has a value that is not of the key's type."],
        // A template cannot be read.
        IOException or UnauthorizedAccessException => [SecretText.HideInSentence(failure.Message)],
        _ => null,
    };

    private ProfileSet Read()
    {
        var profiles = ProfileSet.Create(_options.Create(Options.DefaultName), _host.ContentRootFileProvider, out var findings);
        return profiles ?? throw new OptionsValidationException(
            Options.DefaultName, typeof(IotCredentialsOptions),
            findings.Where(static finding => finding.Severity == Severity.Error).Select(static finding => $"{finding.Key} {finding.Message}"));
    }

    [GeneratedRegex("at '([A-Za-z0-9:_-]+)'")]
    private static partial Regex KeyInMessage();

    public void Dispose()
    {
        foreach (var change in _changes) change.Dispose();
    }
}
