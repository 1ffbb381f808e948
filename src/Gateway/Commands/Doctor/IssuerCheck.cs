using Gateway.Authentication.Keys;
using IotCredentials.Operations;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;

namespace Gateway.Commands.Doctor;

/// <summary>Checks each issuer's discovery document and signing keys.</summary>
internal static class IssuerCheck
{
    public static async Task<DoctorResult[]> RunAsync(IServiceProvider services, TimeSpan timeout)
    {
        var schemes = await services.GetRequiredService<IAuthenticationSchemeProvider>().GetAllSchemesAsync();
        var options = services.GetRequiredService<IOptionsMonitor<JwtBearerOptions>>();
        return await Task.WhenAll(schemes
            .Where(scheme => scheme.HandlerType == typeof(JwtBearerHandler))
            .Select(scheme => DoctorResult.OfAsync(
                $"issuer {scheme.Name}", timeout, (progress, cancellation) => CheckAsync(options.Get(scheme.Name), progress, cancellation))));
    }

    private static async Task<(Outcome, string)> CheckAsync(JwtBearerOptions scheme, DiagnosticProgress progress, CancellationToken cancellation)
    {
        var issuers = scheme.TokenValidationParameters.ValidIssuers;
        progress.WaitsFor = IssuerDocuments.Shown(scheme.MetadataAddress!);
        try
        {
            var document = await scheme.ConfigurationManager!.GetConfigurationAsync(cancellation);
            var found = $"{document.Issuer}, {document.SigningKeys.Count} signing key{(document.SigningKeys.Count == 1 ? "" : "s")}";
            return document.SigningKeys.Count == 0 ? (Outcome.Failed, $"{found}: no token can be validated")
                : issuers.Any(issuer => IssuerDocuments.IsIssuer(document.Issuer, issuer)) ? (Outcome.Ok, found)
                // This is the case for AD FS and for older Entra ID tokens.
                : (Outcome.Warning, $"{found}: tokens of {string.Join(", ", issuers)} are accepted, but not those of the document's issuer");
        }
        catch (IssuerUnavailableException e)
        {
            return (Outcome.Failed, $"{e.Address}: {e.Cause}");
        }
    }
}
