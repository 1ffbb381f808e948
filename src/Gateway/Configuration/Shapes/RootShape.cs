namespace Gateway.Configuration.Shapes;

/// <summary>Everything that may be written in the configuration.</summary>
internal static class RootShape
{
    /// <summary>The gateway's own sections, YARP's, and those whose keys their owners alone know.</summary>
    public static ObjectShape Value { get; } = new(
        OptionsShape.OfRecord(typeof(GatewayOptions)).Members.Values.Concat(
        [
            new Member("ReverseProxy", YarpShape.Read()),
            new Member("Logging", new FreeShape()),
            new Member("Kestrel", new FreeShape()),
            new Member("$schema", ScalarShape.Text),
        ]));
}
