// The service token that a request carries, and whether it is a good one.
#include "service_token.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "crypto.hpp"

namespace edge {
namespace {

using nlohmann::json;

constexpr const char* id_name = "cf-access-client-id";
constexpr const char* secret_name = "cf-access-client-secret";

std::size_t count_fields(const Request& request, std::string_view name) {
  return static_cast<std::size_t>(
      std::count_if(request.fields.begin(), request.fields.end(),
                    [&](const Field& field) { return same_name(field.name, name); }));
}

// The token inside a single header; null when the header says something else.
json parse_single_header(const std::string& value) {
  const json parsed = json::parse(value, nullptr, false);
  if (!parsed.is_object()) return nullptr;
  return parsed.contains(id_name) || parsed.contains(secret_name) ? parsed : json();
}

std::string text_member(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// The entry whose secret counts: the application's own, the team's, or that of another application
// of the team.
const ServiceToken* find_service_token(const Config& config, const Application& application,
                                       const std::string& id) {
  const auto search = [&](const std::vector<ServiceToken>& tokens) -> const ServiceToken* {
    for (const ServiceToken& token : tokens) {
      if (token.id == id && !token.secret.empty()) return &token;
    }
    return nullptr;
  };
  if (const auto* own = search(application.service_tokens)) return own;
  if (const auto team = config.teams.find(application.team); team != config.teams.end()) {
    if (const auto* found = search(team->second.service_tokens)) return found;
  }
  for (const auto& [name, other] : config.applications) {
    if (other->team != application.team) continue;
    if (const auto* found = search(other->service_tokens)) return found;
  }
  return nullptr;
}

bool authenticates(const ServiceToken& token, const std::string& secret, long now) {
  if (!token.enabled || secret.empty()) return false;
  if (token.expires_at && *token.expires_at <= now) return false;
  return secret == token.secret || (secret == token.previous_secret && now < token.previous_until);
}

}  // namespace

ServiceCredentials read_service_credentials(const Request& request,
                                            const Application& application) {
  const std::size_t ids = count_fields(request, id_name);
  const std::size_t secrets = count_fields(request, secret_name);
  const std::string& single = application.service_token_header;
  const json inside = single.empty() ? json() : parse_single_header(request.header(single));
  const bool pair = ids + secrets > 0;
  ServiceCredentials credentials;
  credentials.present = pair || !inside.is_null();
  credentials.id = pair ? request.header(id_name) : text_member(inside, id_name);
  credentials.secret = pair ? request.header(secret_name) : text_member(inside, secret_name);
  const bool incomplete = credentials.id.empty() || credentials.secret.empty();
  const bool twice =
      ids > 1 || secrets > 1 || (!inside.is_null() && (pair || count_fields(request, single) > 1));
  credentials.malformed = credentials.present && (incomplete || twice);
  return credentials;
}

bool carries_service_token(const Field& field, const Application& application) {
  if (same_name(field.name, id_name) || same_name(field.name, secret_name)) return true;
  const std::string& single = application.service_token_header;
  return !single.empty() && same_name(field.name, single) &&
         !parse_single_header(field.value).is_null();
}

ServiceVerdict judge(const Config& config, const Application& application,
                     const ServiceCredentials& credentials, long now) {
  const ServiceToken* token = find_service_token(config, application, credentials.id);
  if (token == nullptr || !authenticates(*token, credentials.secret, now)) {
    return ServiceVerdict::unauthenticated;
  }
  return lists_service_token(application, credentials.id) ? ServiceVerdict::good
                                                          : ServiceVerdict::unauthorized;
}

bool lists_service_token(const Application& application, const std::string& id) {
  return std::any_of(application.service_tokens.begin(), application.service_tokens.end(),
                     [&](const ServiceToken& token) { return token.id == id; });
}

std::string make_service_secret() {
  static constexpr char alphabet[] =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string secret = "cfast_";
  for (const char byte : random_bytes(40)) {
    secret += alphabet[static_cast<unsigned char>(byte) % (sizeof alphabet - 1)];
  }
  return secret + hex(sha256(secret)).substr(0, 8);
}

}  // namespace edge
