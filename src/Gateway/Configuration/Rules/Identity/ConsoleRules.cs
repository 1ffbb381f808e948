namespace Gateway.Configuration.Rules.Identity;

/// <summary>Checks how operators sign in to the console.</summary>
internal static class ConsoleRules
{
    private const string Section = "Management:Console";

    /// <summary>The authority is an https address, or http on this machine; ClientId and Scope are given; and somebody may use the console.</summary>
    public static void Check(RuleContext context)
    {
        if (context.Options.Management is not { Console: { } console } management) return;
        const string Example = "Write the issuer's address, such as \"https://id.example.com\".";
        if (string.IsNullOrEmpty(console.Authority))
            context.Error($"{Section}:Authority", $"is required. {Example}");
        else if (SchemeRules.CheckAddress(context, $"{Section}:Authority", console.Authority, requireHttps: false, Example) is { } address)
        {
            if (address is { Scheme: "http", IsLoopback: false })
                context.Error($"{Section}:Authority", "is http on another machine: anyone on the way could read operators' tokens. Write an https address.");
            if (address.UserInfo.Length > 0)
                context.Error($"{Section}:Authority", "has a user or a password, and every browser may read it. Write the address without.");
        }

        if (string.IsNullOrWhiteSpace(console.ClientId))
            context.Error($"{Section}:ClientId", "is required. Write the id that the issuer knows the console by, a public client.");
        if (string.IsNullOrWhiteSpace(console.Scope))
            context.Error($"{Section}:Scope", "is required. Write the scopes of an access token for this gateway, separated by spaces.");
        if (management.AuthorizationPolicy is null)
            context.Warning(Section, "is given without Management:AuthorizationPolicy: operators sign in, and none may see anything. Name a policy.");
    }
}
