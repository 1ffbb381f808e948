using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.HttpLogging;

namespace IotCredentials.Http;

/// <summary>Keeps the response body of a credential route out of the host's HTTP logging. Runs only in a host with <c>UseHttpLogging()</c>.</summary>
internal sealed class UnloggedResponses : IHttpLoggingInterceptor
{
    public ValueTask OnRequestAsync(HttpLoggingInterceptorContext logContext) => default;

    // The route is known by now, wherever in the pipeline the logging stands; the body has not begun.
    public ValueTask OnResponseAsync(HttpLoggingInterceptorContext logContext)
    {
        if (logContext.HttpContext.GetEndpoint()?.Metadata.GetMetadata<CredentialQueryRule>() is not null)
            logContext.Disable(HttpLoggingFields.ResponseBody);
        return default;
    }
}
