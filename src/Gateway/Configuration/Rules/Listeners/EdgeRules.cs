using Gateway.Networking;

namespace Gateway.Configuration.Rules.Listeners;

/// <summary>Checks the section Edge.</summary>
internal static class EdgeRules
{
    private const string Methods = "Edge:Methods";

    /// <summary>
    /// Edge:Methods holds methods in capitals, TrustedProxies are addresses or networks, and ConnectionsPerAddress and UpgradesPerCaller are 1 or more.
    /// </summary>
    public static void Check(RuleContext context)
    {
        var edge = context.Options.Edge;
        for (var index = 0; index < edge.Methods.Count; index++)
            if (!HttpToken.Is(edge.Methods[index]) || edge.Methods[index].Any(char.IsAsciiLetterLower))
                context.Error($"{Methods}:{index}", $"is {Finding.Quote(edge.Methods[index])}, which is not a method. Write it in capitals, such as GET.");
        for (var index = 0; index < edge.TrustedProxies.Count; index++)
            if (!AddressList.TryParse(edge.TrustedProxies[index], out _, out _))
                context.Error($"Edge:TrustedProxies:{index}",
                    $"is {Finding.Quote(edge.TrustedProxies[index])}, which is not an address or network. "
                    + "Write an IP address, or a network such as 10.0.0.0/8.");
        CheckPositive("ConnectionsPerAddress", edge.ConnectionsPerAddress);
        CheckPositive("UpgradesPerCaller", edge.UpgradesPerCaller);

        void CheckPositive(string name, int? bound)
        {
            if (bound < 1) context.Error($"Edge:{name}", $"is {bound}. Write how many there may be, 1 or more.");
        }
    }
}
