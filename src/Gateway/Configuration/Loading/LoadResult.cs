using Gateway.Configuration.Snapshots;
using Gateway.Configuration.Sources;

namespace Gateway.Configuration.Loading;

/// <summary>The result of loading the configuration.</summary>
/// <param name="Snapshot">The configuration, or null when a finding is an error.</param>
/// <param name="Findings">All findings, ordered by key.</param>
/// <param name="CannotRead">Whether something could not be read, as opposed to being wrong.</param>
/// <param name="Input">The input that was read, or null when there is no folder.</param>
internal sealed record LoadResult(Snapshot? Snapshot, IReadOnlyList<Finding> Findings, bool CannotRead, ConfigurationInput? Input)
{
    /// <summary>The layers that were searched for, lowest first. A layer that could not be read is missing here and has a finding instead.</summary>
    public IReadOnlyList<LayerRow> Layers { get; init; } = [];
}
