#include "access/identity/application.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "access/core/access_path.hpp"
#include "access/core/encoding.hpp"
#include "access/core/error.hpp"
#include "access/core/host_port.hpp"
#include "access/core/log.hpp"
#include "access/core/text.hpp"
#include "access/identity/metadata.hpp"
#include "access/identity/place.hpp"
#include "access/identity/team_keys.hpp"

namespace mayfly {
namespace {

using std::chrono::sys_seconds;

constexpr std::string_view kAccessSuffix = ".cloudflareaccess.com";
constexpr std::size_t kMaxRecordBytes = std::size_t{64} * 1024;

// Check 3. The fetched JSON when keys were fetched, for the caller to store once all checks passed.
std::optional<std::string> verify_signature(const StateDirectory& state, const Send& send,
                                            const Url& url, const Metadata& metadata) {
  if (const auto cached = read_cached_keys(state, metadata.auth_domain)) {
    if (are_fresh(cached->modified) && cached->keys.verifies(metadata.jwt)) return std::nullopt;
    if (are_young(cached->modified)) throw bad_metadata(url, "its signature does not verify");
  }
  auto fetched = fetch_keys(send, metadata.auth_domain);
  if (!fetched.keys.verifies(metadata.jwt))
    throw bad_metadata(url, "its signature does not verify");
  return std::move(fetched.json);
}

// Nothing when a name that long cannot be: then the application is asked for each time.
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

// By which an administrator finds the answer that was wrong.
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

}  // namespace

std::optional<std::string> auth_domain_host(std::string_view claim) {
  // What a C program would not read to its end, or read differently, is no URL (RFC 3986).
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
  return "https://" + std::string(auth_domain);
}

std::optional<Application> ask_application(const Send& send, const Url& url, sys_seconds now) {
  refuse_path_of_access(url);
  const Response response = send(metadata_request(url));
  const std::string_view text = response.header("cf-access-metadata");
  if (text.empty()) return std::nullopt;
  const Metadata metadata = read_metadata(url, text);
  if (!fetch_keys(send, metadata.auth_domain).keys.verifies(metadata.jwt))
    throw bad_metadata(url, "its signature does not verify");
  Application application = application_of(url, metadata);
  check_issued(url, metadata, now);
  return application;
}

Send noting_first_answer(const Send& send, Response& first) {
  return [&](const Request& request) {
    Response response = send(request);
    if (request.method == Request::Method::head) first = response;
    return response;
  };
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

// The most special one, though it may be too old: whether the application around it is still the
// one of this URL has to be asked for then.
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

std::optional<Application> ApplicationFinder::find(const Url& url, sys_seconds now) const {
  refuse_path_of_access(url);
  const Response response = send_(metadata_request(url));
  const std::string text(response.header("cf-access-metadata"));
  if (text.empty()) return std::nullopt;

  try {
    return verified(url, text, now);
  } catch (const KeysError&) {
    throw;
  } catch (const Error& error) {
    throw with_reference(error, response);
  }
}

Application ApplicationFinder::verified(const Url& url, const std::string& text,
                                        sys_seconds now) const {
  const Metadata metadata = read_metadata(url, text);
  const auto new_keys = verify_signature(state_, send_, url, metadata);
  Application application = application_of(url, metadata);
  check_issued(url, metadata, now);

  if (remembering_ == Remembering::allowed) {
    if (new_keys) store(state_, keys_file(metadata.auth_domain), *new_keys);
    remember(url, application, text);
  }
  log_application("application found", application);
  return application;
}

void ApplicationFinder::remember(const Url& url, const Application& application,
                                 const std::string& text) const {
  const auto name = record_file(application, url);
  if (!name) return;
  // A more special record of this URL would be found first, and says what is no longer so.
  for (const std::string& place : places_above(url)) {
    const std::string file = state_name(StateFile::application, place);
    if (file == *name) break;
    if (record_at(place, url)) discard(state_, file);
  }
  store(state_, *name, text);
}

}  // namespace mayfly
