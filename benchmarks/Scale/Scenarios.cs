using IotCredentials.Vending;

namespace Scale;

/// <summary>The tables of docs/scale.md.</summary>
internal static class Scenarios
{
    private const int Seed = 20;

    // The clients' first requests are over, and what they vended has been renewed.
    private const double Event = 9_000;

    // After a session's length, in which every client has asked.
    private const double End = 12_600;
    private const double Moment = 0.1;

    // The permits of a replica that are left when one organization of so many is simulated: with fewer, single calls would wait for the next permit.
    private const double LeastPermits = 3.8;
    private const int MostLeftOut = 20;

    private static readonly (string Name, Setting Setting)[] s_regions =
    [
        ("A", new Setting { Organizations = 500_000, Replicas = 25, PermitsPerSecond = 19 }),
        ("B", new Setting { Organizations = 300_000, Replicas = 15, PermitsPerSecond = 32 }),
        ("C", new Setting { Organizations = 200_000, Replicas = 10, PermitsPerSecond = 48 }),
    ];

    public static void Print()
    {
        var (a, c) = (s_regions[0].Setting, s_regions[2].Setting);
        var steady = s_regions.Select(region => (region.Name, region.Setting)).ToArray();
        (string Name, Setting Setting)[] loads =
        [
            ("1 client", c with { Clients = 1 }),
            ("3 clients", c),
            ("10 clients", c with { Clients = 10 }),
            ("10 clients, `MaxEntries` 400,000", c with { Clients = 10, MaxEntries = 400_000 }),
            ("3 clients, `RefreshAfter` 40 minutes", c with { RefreshAfter = 2_400 }),
            ("3 clients that refresh 25 to 20 minutes before the end", c with { RefreshAhead = (1_500, 1_200) }),
            ("3 clients, 30 replicas", c with { Replicas = 30, PermitsPerSecond = 16 }),
        ];
        var cold = (From: Event, To: Event + Moment);
        (string Name, Setting Setting, double AllWithin)[] events =
        [
            ("A starts cold: Redis and all replicas are empty, clients keep their credentials",
                a with { RedisOutage = cold, RedisLosesData = true, Restart = Event }, 0),
            ("… with the `PermitsPerSecond` that is shipped, 100",
                a with { RedisOutage = cold, RedisLosesData = true, Restart = Event, PermitsPerSecond = 100 }, 0),
            ("C starts cold, and all its clients ask within 5 minutes", c with { RedisOutage = cold, RedisLosesData = true, Restart = Event }, 300),
            ("… with the `PermitsPerSecond` that is shipped, 100",
                c with { RedisOutage = cold, RedisLosesData = true, Restart = Event, PermitsPerSecond = 100 }, 300),
            ("C: all clients ask within 5 minutes, Redis is filled", c, 300),
            ("A: Redis fails over in 30 s", a with { RedisOutage = (Event, Event + 30) }, 0),
            ("A: … and is empty then", a with { RedisOutage = (Event, Event + 30), RedisLosesData = true }, 0),
            ("A: Redis is away for 10 minutes", a with { RedisOutage = (Event, Event + 600) }, 0),
            ("A: STS is out for 10 minutes", a with { StsOutage = (Event, Event + 600) }, 0),
            ("… and clients refresh 25 to 20 minutes before the end", a with { StsOutage = (Event, Event + 600), RefreshAhead = (1_500, 1_200) }, 0),
        ];

        Func<Clients>[] runs =
        [
            .. steady.Select(region => (Func<Clients>)(() => Start(region.Setting).RunUntil(End))),
            .. loads.Select(load => (Func<Clients>)(() => Start(load.Setting).RunUntil(End))),
            .. events.Select(scenario => (Func<Clients>)(() =>
            {
                var clients = Start(scenario.Setting).RunUntil(Event);
                return (scenario.AllWithin > 0 ? clients.AllAskWithin(scenario.AllWithin) : clients).RunUntil(End);
            })),
        ];
        var rows = new string[runs.Length];
        Parallel.For(0, runs.Length, i =>
        {
            var clients = runs[i]();
            rows[i] = i < steady.Length ? SteadyRow(steady[i].Name, steady[i].Setting, clients)
                : i < steady.Length + loads.Length ? LoadRow(loads[i - steady.Length].Name, loads[i - steady.Length].Setting, clients)
                : EventRow(events[i - steady.Length - loads.Length].Name, events[i - steady.Length - loads.Length].Setting, clients);
        });

        Table("### Usual operation", SteadyHead, rows[..steady.Length]);
        Table("### The same in region C, with other loads and settings", LoadHead, rows[steady.Length..(steady.Length + loads.Length)]);
        Table("### Events", EventHead, rows[(steady.Length + loads.Length)..]);
        Table("### One invalidation", InvalidationHead, s_regions.Select(region => InvalidationRow(region.Name, region.Setting)));
    }

    private const string SteadyHead =
        "| region | organizations | replicas | requests/s | from memory | from Redis | after a call | AssumeRole/s | busiest minute "
        + "| per organization and hour "
        + "| Redis commands/s | Redis memory | entries in a replica | their memory |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|";

    private const string LoadHead =
        "| load | requests/s | from memory | from Redis | after a call | AssumeRole/s | per organization and hour | Redis commands/s | entries in a replica |\n"
        + "|---|---:|---:|---:|---:|---:|---:|---:|---:|";

    private const string EventHead =
        "| event | STS requests/s before | busiest minute | throttled by AWS | 503 | degraded | clients without valid credentials | calls in a replica's queue "
        + "| Redis commands/s, busiest minute | minutes until no more 503 |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|";

    private const string InvalidationHead =
        "| region | entries in Redis | replicas | SCAN of all replicas | read from Redis | its processor time |\n|---|---:|---:|---:|---:|---:|";

    private static void Table(string title, string head, IEnumerable<string> rows)
    {
        Console.WriteLine($"{title}\n\n{head}");
        foreach (var row in rows) Console.WriteLine(row);
        Console.WriteLine();
    }

    // One organization of so many is simulated.
    private static int EachOf(Setting setting) => (int)Math.Min(MostLeftOut, setting.PermitsPerSecond / LeastPermits);

    private static Clients Start(Setting setting) => new(setting.Sample(EachOf(setting)), Seed);

    private static IEnumerable<Counts> MinutesOf(Setting setting, Clients clients) => clients.Minutes.Select(minute => minute.Times(EachOf(setting)));

    private static Counts Sum(IEnumerable<Counts> minutes)
    {
        var sum = default(Counts);
        foreach (var minute in minutes) sum.Add(minute);
        return sum;
    }

    private static string SteadyRow(string name, Setting setting, Clients clients)
    {
        var minutes = MinutesOf(setting, clients).Skip((int)(Event / 60)).ToArray();
        var (sum, seconds) = (Sum(minutes), minutes.Length * 60.0);
        var perHour = sum.Vends * 3_600 / seconds / setting.Organizations;
        return FormattableString.Invariant($"| {name} | {setting.Organizations:N0} | {setting.Replicas} | {sum.Requests / seconds:N0} ")
            + FormattableString.Invariant($"| {Share(sum.FromMemory, sum)} | {Share(sum.FromRedis, sum)} | {Share(sum.AfterCall, sum)} ")
            + FormattableString.Invariant($"| {sum.Vends / seconds:N0} | {minutes.Max(minute => minute.Vends) / 60.0:N0} | {perHour:F2} ")
            + FormattableString.Invariant($"| {sum.Commands / seconds:N0} | {sum.InRedis * Parameters.BytesPerEntry / 1e9:F2} GB ")
            + FormattableString.Invariant($"| {sum.MostInMemory:N0} | {sum.MostInMemory * Parameters.BytesInProcess / 1e6:N0} MB |");
    }

    private static string LoadRow(string name, Setting setting, Clients clients)
    {
        var minutes = MinutesOf(setting, clients).Skip((int)(Event / 60)).ToArray();
        var (sum, seconds) = (Sum(minutes), minutes.Length * 60.0);
        var perHour = sum.Vends * 3_600 / seconds / setting.Organizations;
        return FormattableString.Invariant($"| {name} | {sum.Requests / seconds:N0} | {Share(sum.FromMemory, sum)} | {Share(sum.FromRedis, sum)} ")
            + FormattableString.Invariant($"| {Share(sum.AfterCall, sum)} | {sum.Vends / seconds:N0} | {perHour:F2} ")
            + FormattableString.Invariant($"| {sum.Commands / seconds:N0} | {sum.MostInMemory:N0} |");
    }

    private static string EventRow(string name, Setting setting, Clients clients)
    {
        var before = Sum(MinutesOf(setting, clients).Skip((int)(Event / 60) - 10).Take(10));
        var minutes = MinutesOf(setting, clients).Skip((int)(Event / 60)).ToArray();
        var sum = Sum(minutes);
        var last = Array.FindLastIndex(minutes, minute => minute.Failed > 0);
        var minutesOfFailure = last == minutes.Length - 1 ? "over 60" : $"{last + 1}";
        var lapsed = clients.Lapsed.Skip((int)(Event / 60)).Max() * EachOf(setting);
        return FormattableString.Invariant($"| {name} | {before.StsRequests / 600.0:N0} | {minutes.Max(minute => minute.StsRequests) / 60.0:N0} ")
            + FormattableString.Invariant($"| {sum.StsThrottled:N0} | {sum.Failed:N0} ({Share(sum.Failed, sum)}) | {sum.Degraded:N0} | {lapsed:N0} ")
            + FormattableString.Invariant($"| {sum.LongestQueue:N0} | {minutes.Max(minute => minute.Commands) / 60:N0} | {minutesOfFailure} |");
    }

    // Every replica that learns of a generation looks through all keys: CacheInvalidation, StaleEntryRemoval.
    private static string InvalidationRow(string name, Setting setting)
    {
        var pages = setting.Replicas * Math.Ceiling((double)setting.Organizations / StaleEntryRemoval.PageSize);
        return FormattableString.Invariant($"| {name} | {setting.Organizations:N0} | {setting.Replicas} | {pages:N0} ")
            + FormattableString.Invariant($"| {pages * Parameters.BytesPerScan / 1e6:N0} MB | {pages * Parameters.SecondsPerScan:F1} s |");
    }

    private static string Share(long part, in Counts sum) => FormattableString.Invariant($"{100.0 * part / sum.Requests:F1} %");
}
