using System.Globalization;
using Sandbox;

// A Redis in a process of its own, so that tests can kill and pause it where no redis-server is installed.
await using var redis = await EmbeddedRedis.StartAsync(int.Parse(args[0], CultureInfo.InvariantCulture));
await Task.Delay(Timeout.Infinite);
