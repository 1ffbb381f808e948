using System.Globalization;
using Sandbox;

// A downstream service in a process of its own, so that tests can kill and pause it.
await using var service = await OrganizationService.StartAsync(int.Parse(args[0], CultureInfo.InvariantCulture));
await Task.Delay(Timeout.Infinite);
