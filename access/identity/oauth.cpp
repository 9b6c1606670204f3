#include "access/identity/oauth.hpp"

#include <fmt/core.h>
#include <openssl/sha.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "access/core/encoding.hpp"
#include "access/core/error.hpp"
#include "access/core/json.hpp"
#include "access/core/text.hpp"

namespace mayfly {
namespace {

using nlohmann::json;
using std::chrono::sys_seconds;

constexpr std::string_view resource_path = "/.well-known/cloudflare-access-protected-resource";
constexpr std::string_view server_path = "/.well-known/oauth-authorization-server";
constexpr std::string_view endpoint_path = "/cdn-cgi/access/oauth/";
constexpr std::size_t longest_token = 8192;
constexpr std::int64_t longest_lifetime = 86400;  // seconds; a longer one is cut

Error not_as_promised(const Url& from, std::string_view why) {
  return Error(ErrorKind::protocol, fmt::format("Managed OAuth of {}: {}", from.authority(), why),
               "log in without --oauth, or ask the administrator");
}

Error no_oauth(const Url& server, ErrorKind kind, std::string_view why) {
  return Error(kind, fmt::format("{} offers no Managed OAuth: {}", server.authority(), why),
               "log in without --oauth, or ask the administrator to turn Managed OAuth on");
}

// The document is about a whole application and not about one of its pages.
std::string path_of(const Url& url, const Application& application) {
  const auto slash = application.hostname.find('/');
  if (slash == std::string::npos) return "";
  const std::string path = application.hostname.substr(slash);
  return path.find('*') == std::string::npos ? path : url.path;
}

Response get(const Send& send, const Url& url, std::string_view path, std::string_view purpose) {
  Request request;
  request.url.host = url.host;
  request.url.port = url.port;
  request.url.path = path;
  request.headers.add("Accept", "application/json");
  request.purpose = purpose;
  return send(request);
}

json object_of(const Url& from, const Response& response) {
  auto object = parse_json(response.body);
  if (!object || !object->is_object()) throw not_as_promised(from, "its answer is not JSON");
  return *std::move(object);
}

std::vector<std::string> texts_in(const json& object, const char* name) {
  std::vector<std::string> texts;
  const auto list = object.find(name);
  if (list == object.end() || !list->is_array()) return texts;
  for (const json& one : *list)
    if (one.is_string()) texts.push_back(one.get<std::string>());
  return texts;
}

std::string team_issuer(const Application& application) {
  return "https://" + application.auth_domain;
}

bool has_method(const json& document, std::string_view name) {
  const auto list = document.find("authentication_methods");
  if (list == document.end() || !list->is_array()) return false;
  return std::ranges::any_of(*list, [&](const json& one) {
    return one.is_object() && string_member(one, "name") == name;
  });
}

std::string_view without_slash_at_end(std::string_view path) {
  if (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

std::optional<Url> url_in(const json& document, const char* name) {
  const auto text = string_member(document, name);
  if (!text || !text->starts_with("https://")) return std::nullopt;
  try {
    return parse_url(*text);
  } catch (const Error&) {
    return std::nullopt;
  }
}

// RFC 6750 section 2.1: what may stand in the header Authorization; ":" besides, since Access has
// it there.
bool is_bearer(std::string_view text) {
  constexpr std::string_view allowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/=:";
  return !text.empty() && text.size() <= longest_token &&
         text.find_first_not_of(allowed) == std::string_view::npos;
}

// A form in one buffer, so that a secret in it has one copy, which is wiped.
class Form : public Request {
 public:
  Form(const Url& endpoint, const OauthRequests& requests, std::string_view what) {
    method = Method::post;
    url = endpoint;
    headers = {{"Content-Type", "application/x-www-form-urlencoded"},
               {"Accept", "application/json"}};
    purpose = what;
    before_sending = requests.before_sending;
    body.reserve(2 * longest_token);
  }
  Form(const Form&) = delete;
  Form& operator=(const Form&) = delete;
  ~Form() { wipe(body); }

  Form& add(std::string_view name, std::string_view value) {
    std::string encoded = form_encode(value);
    if (!body.empty()) body += '&';
    body.append(name).append("=").append(encoded);
    wipe(encoded);
    return *this;
  }
};

// The error of RFC 6749 section 5.2, fit to be shown.
std::string error_in(const Response& response) {
  const auto object = parse_json(response.body);
  if (!object || !object->is_object()) return response.reference();
  const std::string error = string_member(*object, "error").value_or("");
  const std::string why = string_member(*object, "error_description").value_or("");
  return fmt::format("{} ({})", printable(why.empty() ? error : error + ": " + why),
                     response.reference());
}

std::string error_code(const Response& response) {
  const auto object = parse_json(response.body);
  return object && object->is_object() ? string_member(*object, "error").value_or("") : "";
}

[[noreturn]] void throw_failure(const Url& endpoint, const Response& response) {
  if (response.status >= 500 || response.status == 429)
    throw Error(ErrorKind::network,
                fmt::format("{} gives no token ({})", endpoint.authority(), response.reference()),
                "try again in a moment");
  throw Error(ErrorKind::refused,
              fmt::format("{} gives no token: {}", endpoint.authority(), error_in(response)),
              "log in again");
}

OauthTokens tokens_in(const Url& endpoint, Response& response, sys_seconds now) {
  const auto object = parse_json(response.body);
  wipe(response.body);
  if (!object || !object->is_object()) throw not_as_promised(endpoint, "its answer is not JSON");
  const std::string access = string_member(*object, "access_token").value_or("");
  const std::string refresh = string_member(*object, "refresh_token").value_or("");
  const std::string type = string_member(*object, "token_type").value_or("");
  if (!equals_ignoring_case(type, "bearer") || !is_bearer(access) ||
      (!refresh.empty() && !is_bearer(refresh)))
    throw not_as_promised(endpoint, "its answer holds no bearer token");
  const std::int64_t lifetime = std::clamp<std::int64_t>(
      integer_member(*object, "expires_in").value_or(0), 0, longest_lifetime);
  return {.access = Secret(access),
          .refresh = Secret(refresh),
          .expires = now + std::chrono::seconds(lifetime)};
}

}  // namespace

bool is_oauth_endpoint(const Url& endpoint, const Url& url, const Application& application) {
  const bool is_team = endpoint.host == application.auth_domain && endpoint.port == 443;
  if (!is_team && endpoint.origin() != url.origin()) return false;
  const std::string_view path = endpoint.path;
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  return endpoint.query.empty() && path.size() > endpoint_path.size() &&
         path.starts_with(endpoint_path) &&
         path.find_first_not_of(plain, endpoint_path.size()) == std::string_view::npos;
}

std::optional<OauthResource> ask_resource(const Send& send, const Url& url,
                                          const Application& application) {
  const std::string path = path_of(url, application);
  const Response response =
      get(send, url, std::string(resource_path) + path, "its document about Managed OAuth");
  if (response.status != 200) return std::nullopt;
  const json document = object_of(url, response);
  const auto resource = string_member(document, "resource");
  // Compared as it will be sent: a query, a fragment or another spelling could mean another
  // resource to Access.
  const std::string expected = url.origin() + path;
  if (!resource || without_slash_at_end(*resource) != without_slash_at_end(expected))
    throw not_as_promised(url, "its document is about another resource (RFC 9728 section 3.3)");
  if (string_member(document, "team_domain") != application.auth_domain)
    throw not_as_promised(url, "its document names another team");
  for (const std::string& issuer : texts_in(document, "authorization_servers"))
    if (issuer == team_issuer(application) || issuer == url.origin())
      return OauthResource{*resource, issuer, has_method(document, "cloudflared")};
  throw not_as_promised(url, "its document names no authorization server of its team");
}

OauthServer ask_server(const Send& send, const Url& url, const Application& application,
                       std::string_view issuer) {
  const Url at = parse_url(issuer);
  const Response response = get(send, at, server_path, "its authorization server");
  if (response.status != 200)
    throw no_oauth(at, response.status >= 500 ? ErrorKind::network : ErrorKind::refused,
                   response.reference());
  const json document = object_of(at, response);
  // One page of Cloudflare's documentation shows the issuer without its scheme.
  const std::string named = string_member(document, "issuer").value_or("");
  if (named != issuer && named != at.authority())
    throw not_as_promised(at, "its document is about another server (RFC 8414 section 3.3)");
  // A team without an application that has Managed OAuth registers no clients.
  if (!document.contains("registration_endpoint"))
    throw no_oauth(at, ErrorKind::refused, "it registers no clients");
  const auto methods = texts_in(document, "code_challenge_methods_supported");
  if (std::ranges::find(methods, "S256") == methods.end())
    throw not_as_promised(at, "it takes no proof key (PKCE with S256)");
  const auto endpoint = [&](const char* name) {
    const auto found = url_in(document, name);
    if (!found || found->origin() != at.origin() || !is_oauth_endpoint(*found, url, application))
      throw not_as_promised(at, fmt::format("its {} is missing or no page of Access", name));
    return *found;
  };
  OauthServer server{.issuer = std::string(issuer),
                     .authorization = endpoint("authorization_endpoint"),
                     .token = endpoint("token_endpoint"),
                     .registration = endpoint("registration_endpoint")};
  if (document.contains("revocation_endpoint")) server.revocation = endpoint("revocation_endpoint");
  const auto names = document.find("authorization_response_iss_parameter_supported");
  server.names_itself = names != document.end() && *names == json(true);
  return server;
}

std::string register_client(const Send& send, const OauthServer& server) {
  Request request;
  request.method = Request::Method::post;
  request.url = server.registration;
  request.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
  request.body = json{
      {"client_name", "mayfly"},
      {"redirect_uris", {fmt::format("http://127.0.0.1{}", redirect_path)}},
      {"token_endpoint_auth_method", "none"},
      {"application_type", "native"},
      {"grant_types", {"authorization_code", "refresh_token"}},
      {"response_types",
       {"code"}}}.dump();
  request.purpose = "a registration";
  const Response response = send(request);
  const auto object = parse_json(response.body);
  const auto id =
      object && object->is_object() ? string_member(*object, "client_id") : std::nullopt;
  if ((response.status == 201 || response.status == 200) && id && is_bearer(*id)) return *id;
  throw Error(ErrorKind::refused,
              fmt::format("{} registers no client: {}", server.registration.authority(),
                          error_in(response)),
              "ask the administrator to allow loopback clients in the Managed OAuth settings of "
              "the application, or log in without --oauth");
}

OauthTokens exchange_code(const OauthRequests& requests, const Url& endpoint, const OauthCode& code,
                          sys_seconds now) {
  Form form(endpoint, requests, "a token");
  form.add("grant_type", "authorization_code")
      .add("code", code.code.reveal())
      .add("redirect_uri", code.redirect_uri)
      .add("client_id", code.client)
      .add("code_verifier", code.verifier.reveal())
      .add("resource", code.resource);
  Response response = requests.send(form);
  if (response.status != 200) throw_failure(endpoint, response);
  return tokens_in(endpoint, response, now);
}

std::optional<OauthTokens> refresh_tokens(const OauthRequests& requests, const Url& endpoint,
                                          const OauthCode& client, const Secret& refresh,
                                          sys_seconds now) {
  Form form(endpoint, requests, "a token in place of an old one");
  form.add("grant_type", "refresh_token")
      .add("refresh_token", refresh.reveal())
      .add("client_id", client.client)
      .add("resource", client.resource);
  Response response = requests.send(form);
  if (response.status == 200) return tokens_in(endpoint, response, now);
  if (is_among(error_code(response), {"invalid_grant", "invalid_client", "unauthorized_client"}))
    return std::nullopt;
  throw_failure(endpoint, response);
}

void revoke_token(const OauthRequests& requests, const Url& endpoint, std::string_view client,
                  const Secret& token) {
  Form form(endpoint, requests, "the end of a token");
  form.add("token", token.reveal())
      .add("token_type_hint", "refresh_token")
      .add("client_id", client);
  const Response response = requests.send(form);
  // A client that is unknown has no token any more.
  if (response.status == 200 || error_code(response) == "invalid_client") return;
  throw Error(
      response.status >= 500 ? ErrorKind::network : ErrorKind::refused,
      fmt::format("{} does not end the token: {}", endpoint.authority(), error_in(response)),
      "run: mayfly access logout --revoke --all, or ask the administrator to end your "
      "session");
}

std::string challenge_of(std::string_view verifier) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(verifier.data()), verifier.size(), digest.data());
  return base64_encode({reinterpret_cast<const char*>(digest.data()), digest.size()},
                       Base64::url_unpadded);
}

std::string random_state() {
  if (sodium_init() < 0) throw Error(ErrorKind::failed, "libsodium did not start");
  std::array<char, 32> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  return base64_encode({bytes.data(), bytes.size()}, Base64::url_unpadded);
}

ProofKey make_proof_key() {
  for (;;) {
    ProofKey key{.verifier = Secret(random_state()), .challenge = ""};
    key.challenge = challenge_of(key.verifier.reveal());
    if (key.challenge.front() != '-' && key.challenge.front() != '_') return key;
  }
}

std::string authorization_url(const OauthServer& server, const AuthorizationRequest& request) {
  return fmt::format(
      "{}?response_type=code&client_id={}&redirect_uri={}&state={}&code_challenge={}"
      "&code_challenge_method=S256&resource={}",
      server.authorization.text(), form_encode(request.client), form_encode(request.redirect_uri),
      form_encode(request.state), form_encode(request.challenge), form_encode(request.resource));
}

}  // namespace mayfly
