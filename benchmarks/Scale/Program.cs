using Scale;
using Vending;

// Production has a redis-server, so figures are of one wherever one is installed.
if (Installed.Find("redis-server") is { } redis && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("TEST_REDIS_SERVER")))
    Environment.SetEnvironmentVariable("TEST_REDIS_SERVER", redis);

switch (args)
{
    case []:
        Scenarios.Print();
        return 0;
    case ["--measure"]:
        await Measurement.PrintAsync();
        return 0;
    case ["--check"]:
        await Check.PrintAsync();
        return 0;
    default:
        Console.Error.WriteLine("Usage: Scale [--measure | --check]");
        return 2;
}
