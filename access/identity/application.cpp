#include "access/identity/application.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "access/core/access_path.hpp"
#include "access/core/edge_clock.hpp"
#include "access/core/encoding.hpp"
#include "access/core/error.hpp"
#include "access/core/host_port.hpp"
#include "access/core/json.hpp"
#include "access/core/log.hpp"
#include "access/core/text.hpp"
#include "access/identity/place.hpp"
#include "access/identity/team_keys.hpp"
#include "access/identity/token_store.hpp"

namespace mayfly {
namespace {

using std::chrono::sys_seconds;
using namespace std::chrono_literals;

constexpr std::string_view kAccessSuffix = ".cloudflareaccess.com";
constexpr std::string_view issuer_scheme = "https://";
constexpr std::string_view metadata_header = "cf-access-metadata";
constexpr std::size_t kMaxRecordBytes = std::size_t{64} * 1024;

// The edge's signed answer to the question for the application.
struct Metadata {
  Jwt jwt;
  std::string auth_domain;  // a host, by auth_domain_host()
  std::string type, hostname, audience, app_hostname;
  std::optional<std::int64_t> issued;
};

// Returns Error(protocol) that says why the metadata of this URL's host is not used.
Error bad_metadata(const Url& url, std::string_view why) {
  return Error(ErrorKind::protocol,
               fmt::format("application metadata of {}: {}", printable(url.host), why));
}

constexpr auto kMetadataMaxAge = 24h;
constexpr auto kMetadataMaxAhead = 5min;

// Where Cloudflare's edge speaks HTTPS (Cloudflare's documentation, "Network ports"). A policy
// cannot name a port, so an application is at all of them.
constexpr std::uint16_t kEdgePorts[] = {443, 2053, 2083, 2087, 2096, 8443};

// A team may show its login page at a domain of its own, but nothing proves whose keys are there.
Error foreign_team(const Url& url, std::string_view auth_domain) {
  return {ErrorKind::protocol,
          fmt::format("application metadata of {}: \"{}\" is not an Access team domain",
                      printable(url.host), printable(auth_domain)),
          "if the team has a custom login domain, an administrator has to give it back its name "
          "under cloudflareaccess.com; otherwise somebody is in between"};
}

// Any server can repeat the edge's answer for a host, and the answer names no port: a server at
// another port of that host may belong to somebody else.
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

// Throws unless the claims make file names with room for ".lock" and a temporary name.
void require_file_names(const Url& url, const Application& application) {
  try {
    file_name(app_token_file(application) + std::string(32, '-'));
  } catch (const Error& error) {
    throw bad_metadata(url, error.message());
  }
}

constexpr std::string_view stale_hint =
    "this computer's clock agrees with the edge's: something on the way answers in its place";

Request metadata_request(const Url& url) {
  return {.method = Request::Method::head,
          .url = url,
          .headers = {{"CF-Access-Metadata-Request", "true"}},
          .body = {},
          .timeout = 7s,
          .purpose = "the application's metadata"};
}

// Makes checks 1 and 2 of docs/protocol.md section 1, and that of the port. Throws Error(protocol).
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

// Makes check 4, but for the claim "iat", and checks that the claims make names of files. Throws
// Error(protocol).
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
  if (!may_hold(application, url))
    throw Error(ErrorKind::refused,
                fmt::format("{} does not belong to the application that answers there, {}",
                            printable(url.authority() + url.path), printable(application.hostname)),
                "name the application's own address");
  return application;
}

// How the claim "iat" compares with the clock.
enum class Age { young, old, ahead };

Age age_of(std::int64_t issued, sys_seconds now) {
  const std::int64_t seconds = now.time_since_epoch().count();
  if (issued < seconds - std::chrono::seconds(kMetadataMaxAge).count()) return Age::old;
  if (issued > seconds + std::chrono::seconds(kMetadataMaxAhead).count()) return Age::ahead;
  return Age::young;
}

// Throws Error(protocol) unless the claim "iat" is there and young.
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

// The result of check 3. new_keys: the JSON of keys that were fetched, to be stored once all checks
// have passed.
struct Signature {
  bool verifies = false;
  std::optional<std::string> new_keys = {};
};

// state: nullptr to fetch the keys in any case. Throws Error if they cannot be fetched.
Signature check_signature(const StateDirectory* state, const Send& send, const Metadata& metadata) {
  const auto cached =
      state != nullptr ? read_cached_keys(*state, metadata.auth_domain) : std::nullopt;
  if (cached && are_fresh(cached->modified) && cached->keys.verifies(metadata.jwt)) return {true};
  if (cached && are_young(cached->modified)) return {};
  auto fetched = fetch_keys(send, metadata.auth_domain);
  return {fetched.keys.verifies(metadata.jwt), std::move(fetched.json)};
}

// Returns nullopt if the name would be too long: the edge is asked each time then.
std::optional<std::string> record_file(const Application& application, const Url& url) {
  try {
    const std::string name = state_name(StateFile::application, place_of(application, url));
    if (name.size() <= 200) return name;
  } catch (const Error&) {
  }
  return std::nullopt;
}

void log_application(std::string_view what, const Application& application) {
  log(LogLevel::debug, what,
      {{"hostname", application.hostname}, {"team", application.auth_domain}});
}

// Adds the cf-ray, by which an administrator finds the answer.
Error with_reference(const Error& error, const Response& response) {
  return {error.kind(), fmt::format("{} ({})", error.message(), response.reference()),
          error.hint()};
}

void store(const StateDirectory& state, const std::string& name, std::string_view content) {
  try {
    state.write(name, content);
  } catch (const Error& error) {
    log(LogLevel::warn, "not remembered", {{"file", name}, {"reason", error.message()}});
  }
}

void discard(const StateDirectory& state, const std::string& name) {
  try {
    state.remove(name);
  } catch (const Error& error) {
    log(LogLevel::warn, "not forgotten", {{"file", name}, {"reason", error.message()}});
  }
}

struct Verified {
  Application application;
  std::optional<std::string> new_keys;
};

// Makes all checks of docs/protocol.md section 1, in its order. An Error about this answer names
// its cf-ray; one about the keys is of another answer.
Verified verify(const StateDirectory* state, const Send& send, const Url& url,
                const Response& response, sys_seconds now) {
  const auto referenced = [&](const auto& check) {
    try {
      return check();
    } catch (const Error& error) {
      throw with_reference(error, response);
    }
  };
  const Metadata metadata =
      referenced([&] { return read_metadata(url, response.headers.find(metadata_header)); });
  auto [verifies, new_keys] = check_signature(state, send, metadata);
  Application application = referenced([&, good = verifies] {
    if (!good) throw bad_metadata(url, "its signature does not verify");
    Application named = application_of(url, metadata);
    check_issued(url, metadata, now);
    return named;
  });
  return {std::move(application), std::move(new_keys)};
}

}  // namespace

std::optional<std::string> auth_domain_host(std::string_view claim) {
  // Other programs may stop at these characters or read them differently; RFC 3986 allows none.
  const auto is_no_url = [](unsigned char c) { return c <= 0x20 || c == 0x7f || c == '\\'; };
  if (std::any_of(claim.begin(), claim.end(), is_no_url)) return std::nullopt;
  std::string_view authority = claim.substr(0, claim.find_first_of("/?#"));
  if (const auto at = authority.rfind('@'); at != std::string_view::npos)
    authority.remove_prefix(at + 1);
  const auto fields = colon_fields(authority);
  const std::string_view port = fields.size() > 1 ? fields[1] : std::string_view();
  if (fields.size() > 2 || port.find_first_not_of(decimal_digits) != std::string_view::npos)
    return std::nullopt;
  std::string host = to_lower(fields.front());
  if (!host.ends_with(kAccessSuffix) || !is_host_name(host)) return std::nullopt;
  return host;
}

std::string issuer_of(std::string_view auth_domain) {
  return std::string(issuer_scheme).append(auth_domain);
}

std::string team_of(std::string_view issuer) {
  return std::string(issuer.starts_with(issuer_scheme) ? issuer.substr(issuer_scheme.size())
                                                       : issuer);
}

Found ask_application(const Send& send, const Url& url, sys_seconds now) {
  refuse_path_of_access(url);
  Found found{.answer = send(metadata_request(url))};
  if (!found.answer.headers.find(metadata_header).empty())
    found.application = verify(nullptr, send, url, found.answer, now).application;
  return found;
}

std::optional<Application> ApplicationFinder::known(const Url& url, sys_seconds now) const {
  auto record = record_of(url);
  if (!record) return std::nullopt;
  if (age_of(record->issued.value_or(0), now) != Age::young || !are_fresh(record->keys_fetched)) {
    log(LogLevel::debug, "what is remembered of the application is too old", {{"host", url.host}});
    return std::nullopt;
  }
  return std::move(record->application);
}

std::optional<Application> ApplicationFinder::recall(const Url& url) const {
  auto record = record_of(url);
  if (!record) return std::nullopt;
  return std::move(record->application);
}

// Returns the most specific record, even if it is too old: then the edge has to be asked whether
// the application around it still is the one of this URL.
std::optional<ApplicationFinder::Record> ApplicationFinder::record_of(const Url& url) const {
  refuse_path_of_access(url);
  for (const std::string& place : places_above(url))
    if (auto record = record_at(place, url)) return record;
  return std::nullopt;
}

std::optional<ApplicationFinder::Record> ApplicationFinder::record_at(const std::string& place,
                                                                      const Url& url) const {
  try {
    const auto file = state_.read(state_name(StateFile::application, place), kMaxRecordBytes);
    if (!file) return std::nullopt;
    const Metadata metadata = read_metadata(url, file->content);
    const auto cached = read_cached_keys(state_, metadata.auth_domain);
    if (!cached || !cached->keys.verifies(metadata.jwt)) return std::nullopt;
    Application application = application_of(url, metadata);
    if (!is_at(application, place, url)) return std::nullopt;
    log_application("application remembered", application);
    return Record{std::move(application), metadata.issued, cached->modified};
  } catch (const Error& error) {
    log(LogLevel::debug, "remembered application not used", {{"reason", error.message()}});
    return std::nullopt;
  }
}

Found ApplicationFinder::find(const Url& url, sys_seconds now) const {
  refuse_path_of_access(url);
  Found found{.answer = send_(metadata_request(url))};
  const std::string text(found.answer.headers.find(metadata_header));
  if (text.empty()) return found;
  auto [application, new_keys] = verify(&state_, send_, url, found.answer, now);
  if (remembering_ == Remembering::allowed) {
    if (new_keys) store(state_, keys_file(application.auth_domain), *new_keys);
    remember(url, application, text);
  }
  log_application("application found", application);
  found.application = std::move(application);
  return found;
}

void ApplicationFinder::remember(const Url& url, const Application& application,
                                 const std::string& text) const {
  const auto name = record_file(application, url);
  if (!name) return;
  // A more specific record of this URL would be found first, and it is out of date.
  for (const std::string& place : places_above(url)) {
    const std::string file = state_name(StateFile::application, place);
    if (file == *name) break;
    if (record_at(place, url)) discard(state_, file);
  }
  store(state_, *name, text);
}

}  // namespace mayfly
