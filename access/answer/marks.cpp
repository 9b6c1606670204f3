#include "access/answer/marks.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "access/core/error.hpp"
#include "access/http1/challenges.hpp"

namespace mayfly {
namespace {

constexpr std::string_view document = "/.well-known/cloudflare-access-protected-resource";
constexpr auto refusal_marks =
    std::to_array<std::string_view>({"cf-access-aud", "cf-access-domain", "cf-access-error"});

// The path of the request may follow the document's.
bool names_document_of(const Url& asked, std::string_view address) {
  if (!address.starts_with("https://")) return false;
  try {
    const Url url = resolve_location(asked, address);
    if (url.origin() != asked.origin() || !url.path.starts_with(document)) return false;
    return url.path.size() == document.size() || url.path[document.size()] == '/';
  } catch (const Error&) {
    return false;
  }
}

bool wants_login(const Url& asked, const Challenge& challenge) {
  const auto address = challenge.parameter("resource_metadata");
  if (challenge.is_of("Bearer")) return address && names_document_of(asked, *address);
  if (!challenge.is_of("Cloudflare-Access")) return false;
  return challenge.parameters.empty() || (address && names_document_of(asked, *address));
}

}  // namespace

bool has_login_challenge(const Url& asked, int status, const Headers& headers) {
  if (status != 401) return false;
  return std::ranges::any_of(challenges_in(headers), [&](const Challenge& challenge) {
    return wants_login(asked, challenge);
  });
}

bool is_refusal_of_access(const Url& asked, int status, const Headers& headers) {
  if (has_login_challenge(asked, status, headers)) return true;
  return (status == 401 || status == 403) &&
         std::ranges::any_of(refusal_marks,
                             [&](std::string_view name) { return !headers.find(name).empty(); });
}

}  // namespace mayfly
