#include "access/identity/team_keys.hpp"

#include <fmt/core.h>

#include "access/core/log.hpp"

namespace mayfly {
namespace {

using std::chrono::system_clock;
using namespace std::chrono_literals;

constexpr std::size_t kMaxKeysBytes = 1 << 20;
constexpr auto kKeysLifetime = 24h;
constexpr auto kKeysMinAgeToRefetch = 1min;

}  // namespace

std::string keys_file(std::string_view auth_domain) {
  return state_name(StateFile::key_set, auth_domain);
}

bool are_fresh(system_clock::time_point fetched) {
  const auto age = system_clock::now() - fetched;
  return age > -kKeysMinAgeToRefetch && age <= kKeysLifetime;
}

bool are_young(system_clock::time_point fetched) {
  const auto age = system_clock::now() - fetched;
  return age > -kKeysMinAgeToRefetch && age < kKeysMinAgeToRefetch;
}

std::optional<CachedKeys> read_cached_keys(const StateDirectory& state,
                                           std::string_view auth_domain) {
  try {
    const auto file = state.read(keys_file(auth_domain), kMaxKeysBytes);
    auto keys = file ? KeySet::parse(file->content) : std::nullopt;
    if (!keys || keys->empty()) return std::nullopt;
    return CachedKeys{std::move(*keys), file->modified};
  } catch (const Error& error) {
    log(LogLevel::debug, "cached keys not used", {{"reason", error.message()}});
    return std::nullopt;
  }
}

FetchedKeys fetch_keys(const Send& send, const std::string& auth_domain) {
  const Request request{.url = {.host = auth_domain, .path = "/cdn-cgi/access/certs", .query = {}},
                        .headers = {},
                        .body = {},
                        .timeout = 10s,
                        .max_body = kMaxKeysBytes,
                        .purpose = "the team's keys"};
  Response response = send(request);
  const auto bad = [&](std::string_view why) {
    return Error(ErrorKind::protocol, fmt::format("fetching the keys of {}: {} ({})", auth_domain,
                                                  why, response.reference()));
  };
  if (response.status != 200) throw bad("no keys came");
  auto keys = KeySet::parse(response.body);
  if (!keys) throw bad("not a JSON Web Key Set");
  return {std::move(*keys), std::move(response.body)};
}

}  // namespace mayfly
