using Microsoft.AspNetCore.Http;

namespace IotCredentials.Http;

/// <summary>
/// An endpoint's precondition on a request's method, id and query. It is endpoint metadata, so that a host can run it between authentication and authorization:
/// 401 first, then 405 or 422, then 403.
/// </summary>
public interface IRequestPrecondition
{
    /// <summary>The status to refuse the request with; null if it meets the precondition.</summary>
    int? Check(HttpContext context);
}
