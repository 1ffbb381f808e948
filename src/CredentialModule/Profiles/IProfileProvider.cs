using IotCredentials.Failures;
using IotCredentials.Telemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace IotCredentials.Profiles;

/// <summary>The profiles in effect.</summary>
internal interface IProfileProvider
{
    ProfileSet Current { get; }
}

/// <summary>The profiles of a configuration section. A change that cannot be used leaves the previous profiles in effect.</summary>
internal sealed partial class ConfigurationProfileProvider : IProfileProvider, IDisposable
{
    private readonly IConfiguration _section;
    private readonly IHostEnvironment _host;
    private readonly ILogger<ConfigurationProfileProvider> _logger;
    private readonly IDisposable _changes;
    private volatile ProfileSet _current;

    /// <exception cref="OptionsValidationException">The section cannot be used.</exception>
    public ConfigurationProfileProvider(IConfiguration section, IHostEnvironment host, ILogger<ConfigurationProfileProvider> logger)
    {
        _section = section;
        _host = host;
        _logger = logger;
        _current = Read(out var problems) ?? throw new OptionsValidationException(
            "IotCredentials", typeof(IotCredentialsOptions), problems.Where(problem => !problem.IsWarning).Select(problem => $"{Path(problem.Key)} {problem.Message}"));
        _changes = ChangeToken.OnChange(section.GetReloadToken, Reload);
    }

    public ProfileSet Current => _current;

    private void Reload()
    {
        try
        {
            if (Read(out var problems) is { } book) _current = book;
            else foreach (var problem in problems.Where(problem => !problem.IsWarning)) Log.ReloadRefused(_logger, Path(problem.Key), problem.Message);
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            // A value is not of its key's type, or a template cannot be read.
            Log.ReloadRefused(_logger, "IotCredentials", SecretText.HideInSentence(e.Message));
        }
    }

    private ProfileSet? Read(out IReadOnlyList<ConfigurationProblem> problems)
    {
        var unknown = SectionKeys.Unknown(_section).ToList();
        var book = ProfileSet.Read(_section, _host.ContentRootFileProvider, out var found);
        problems = [.. unknown, .. found];
        return unknown.Count == 0 ? book : null;
    }

    private string Path(string key) => _section is IConfigurationSection section ? $"{section.Path}:{key}" : key;

    public void Dispose() => _changes.Dispose();

    private static partial class Log
    {
        [LoggerMessage(EventIds.ReloadRefused, LogLevel.Error, "A change of IotCredentials is not used: {Key} {Problem}",
            EventName = nameof(EventIds.ReloadRefused))]
        public static partial void ReloadRefused(ILogger logger, string key, string problem);
    }
}
