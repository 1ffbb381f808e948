using Vending;

// Production has a redis-server, so figures are of one wherever one is installed.
if (Installed.Find("redis-server") is { } redis && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("TEST_REDIS_SERVER")))
    Environment.SetEnvironmentVariable("TEST_REDIS_SERVER", redis);

var figures = new Figures();
await ColdHerd.MeasureAsync(figures);
await WarmLatency.MeasureAsync(figures);
await WithoutRedis.MeasureAsync(figures);
await BytesPerOrganization.MeasureAsync(figures);
figures.WriteTable();
