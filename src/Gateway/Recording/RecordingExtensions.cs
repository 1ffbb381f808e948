namespace Gateway.Recording;

/// <summary>Adds what the console shows of the last minutes.</summary>
internal static class RecordingExtensions
{
    public static void AddRecording(this IServiceCollection services)
    {
        services.AddSingleton<TrafficRecorder>();
        services.AddSingleton<RefusedRequests>();
        services.AddSingleton<VendRecorder>();
        services.AddSingleton<DestinationRecorder>();
        services.AddSingleton<EventRecorder>();
        services.AddSingleton<ILoggerProvider>(static provider => provider.GetRequiredService<EventRecorder>());
        services.Configure<LoggerFilterOptions>(static filters =>
        {
            foreach (var filter in EventRecorder.Filters) filters.Rules.Add(filter);
        });
    }
}
