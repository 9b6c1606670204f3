#include "access/identity/metadata.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "access/core/edge_clock.hpp"
#include "access/core/json.hpp"
#include "access/core/text.hpp"
#include "access/identity/token_store.hpp"
#include "access/system/files.hpp"

namespace mayfly {
namespace {

using std::chrono::sys_seconds;
using namespace std::chrono_literals;

constexpr auto kMetadataMaxAge = 24h;
constexpr auto kMetadataMaxAhead = 5min;

// Where Cloudflare's edge speaks HTTPS (Cloudflare's documentation, "Network ports"). A policy
// cannot name a port, so an application is at all of them.
constexpr std::uint16_t kEdgePorts[] = {443, 2053, 2083, 2087, 2096, 8443};

// A team may show its login page at a domain of its own, but whose keys are there nobody vouches
// for.
Error foreign_team(const Url& url, std::string_view auth_domain) {
  return {ErrorKind::protocol,
          fmt::format("application metadata of {}: \"{}\" is not an Access team domain",
                      printable(url.host), printable(auth_domain)),
          "if the team has a custom login domain, an administrator has to give it back its name "
          "under cloudflareaccess.com; otherwise somebody is in between"};
}

// Everybody can repeat what the edge says of a host, and it names no port: a server at another port
// of that host may be somebody else's.
void require_edge_port(const Url& url) {
  if (std::find(std::begin(kEdgePorts), std::end(kEdgePorts), url.port) != std::end(kEdgePorts))
    return;
  throw Error(ErrorKind::protocol,
              fmt::format("application metadata of {}: Cloudflare serves no application at port {}",
                          printable(url.host), url.port),
              fmt::format("name the host without a port, or one of {}; whoever answers at this one "
                          "gets no token",
                          fmt::join(kEdgePorts, ", ")));
}

// The names made from the claims must be names of files, with room for ".lock" and a temporary
// name.
void require_file_names(const Url& url, const Application& application) {
  try {
    file_name(app_token_file(application) + std::string(32, '-'));
  } catch (const Error& error) {
    throw bad_metadata(url, error.message());
  }
}

constexpr std::string_view stale_hint =
    "this computer's clock agrees with the edge's: something on the way answers in its place";

}  // namespace

Request metadata_request(const Url& url) {
  return {.method = Request::Method::head,
          .url = url,
          .headers = {{"CF-Access-Metadata-Request", "true"}},
          .body = {},
          .timeout = 7s,
          .purpose = "the application's metadata"};
}

Error bad_metadata(const Url& url, std::string_view why) {
  return Error(ErrorKind::protocol,
               fmt::format("application metadata of {}: {}", printable(url.host), why));
}

Metadata read_metadata(const Url& url, std::string_view text) {
  require_edge_port(url);
  auto jwt = parse_jwt(text);
  if (!jwt) throw bad_metadata(url, "not a token signed with RS256");
  const auto claims = parse_json(jwt->payload);
  if (!claims) throw bad_metadata(url, "not a JSON object");
  const auto claim = [&](const char* name) { return string_member(*claims, name).value_or(""); };

  auto auth_domain = auth_domain_host(claim("auth_domain"));
  if (!auth_domain) throw foreign_team(url, claim("auth_domain"));
  if (claims->contains("app_hostname") && !string_member(*claims, "app_hostname"))
    throw bad_metadata(url, "app_hostname is not a string");
  return {.jwt = std::move(*jwt),
          .auth_domain = std::move(*auth_domain),
          .type = claim("type"),
          .hostname = claim("hostname"),
          .audience = claim("aud"),
          .app_hostname = claim("app_hostname"),
          .issued = integer_member(*claims, "iat")};
}

Application application_of(const Url& url, const Metadata& metadata) {
  if (!equals_ignoring_case(metadata.hostname, url.host))
    throw bad_metadata(url, fmt::format("it is for \"{}\"", printable(metadata.hostname)));
  if (metadata.type != "match")
    throw bad_metadata(url,
                       fmt::format("its type is \"{}\", not \"match\"", printable(metadata.type)));
  if (metadata.audience.empty()) throw bad_metadata(url, "it names no audience");
  // Older edges send no app_hostname.
  Application application{
      .auth_domain = metadata.auth_domain,
      .audience = metadata.audience,
      .hostname = metadata.app_hostname.empty() ? metadata.hostname : metadata.app_hostname};
  require_file_names(url, application);
  return application;
}

Age age_of(std::int64_t issued, sys_seconds now) {
  const std::int64_t seconds = now.time_since_epoch().count();
  if (issued < seconds - std::chrono::seconds(kMetadataMaxAge).count()) return Age::old;
  if (issued > seconds + std::chrono::seconds(kMetadataMaxAhead).count()) return Age::ahead;
  return Age::young;
}

void check_issued(const Url& url, const Metadata& metadata, sys_seconds now) {
  const std::int64_t issued = metadata.issued.value_or(0);
  if (issued <= 0) throw bad_metadata(url, "it does not say when it was issued");
  const Age age = age_of(issued, now);
  if (age == Age::young) return;
  throw Error(ErrorKind::protocol,
              fmt::format("application metadata of {}: {}", url.host,
                          age == Age::old ? "it is older than 24 hours"
                                          : "it was issued more than 5 minutes from now"),
              clock_hint(stale_hint));
}

}  // namespace mayfly
