// An application's metadata: claims behind a signature that is right, or the whole header. The
// first byte says which, and how the team's keys can be had.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "access/core/text.hpp"
#include "access/identity/application.hpp"
#include "access/identity/token_store.hpp"
#include "fuzz.hpp"
#include "property.hpp"
#include "scratch.hpp"
#include "signing_key.hpp"

namespace mayfly::fuzz {
namespace {

using nlohmann::json;

const Url url{"vm.example.com", 443, "/path", ""};

// As ASCII digits, so that seeds can be read.
struct Mode {
  bool raw, keys_cached, keys_broken;
  explicit Mode(std::uint8_t byte)
      : raw((byte & 1) != 0), keys_cached((byte & 2) != 0), keys_broken((byte & 4) != 0) {}
};

Response answer(const Request& request, const std::string& metadata, const Mode& mode) {
  require(request.body.empty(), "nothing is sent along");
  if (request.url == url) return {200, {{"cf-access-metadata", metadata}}, ""};
  require(request.url.host.ends_with(".cloudflareaccess.com") && request.url.port == 443 &&
              request.url.path == "/cdn-cgi/access/certs" && request.url.query.empty(),
          "keys are asked of a team, and of nobody else");
  return {200, {}, mode.keys_broken ? R"({"keys":[{}]})" : SigningKey::key_set()};
}

// docs/protocol.md section 1, by a reader of its own.
void check_application(const Application& application, const json& claims) {
  require(to_lower(claims.at("hostname").get<std::string>()) == url.host, "it is for this host");
  require(claims.at("type") == "match", "its type is match");
  require(claims.at("aud") == application.audience && !application.audience.empty(),
          "its audience is the signed one");
  const std::int64_t issued = claims.at("iat").get<std::int64_t>();
  const std::int64_t seconds = now.time_since_epoch().count();
  require(issued >= seconds - 24 * 3600 && issued <= seconds + 5 * 60, "it is fresh");
  require(application.auth_domain.ends_with(".cloudflareaccess.com"), "the team is Cloudflare's");
  for (const auto& name : {app_token_file(application), org_token_file(application.auth_domain)})
    require(name.find('/') == std::string::npos && name.front() != '.', "its files stay inside");
}

// Whether the application's own path is the asked one, or leaves it open; it may lie beside, and is
// asked for again then.
bool holds_path(const json& claims) {
  const std::string place = claims.value("app_hostname", "");
  std::string path = place.substr(std::min(place.find('/'), place.size()));
  while (path.ends_with('/')) path.pop_back();
  return path.empty() || path == url.path || path.find('*') != std::string::npos;
}

const Harness harness("metadata", [](std::string_view input) {
  static const ScratchState scratch;
  Input in(input);
  const Mode mode(in.byte());
  const std::string text = mode.raw ? std::string(in.rest()) : SigningKey::sign(in.rest());
  if (mode.keys_cached) scratch.put("team.cloudflareaccess.com-jwks", SigningKey::key_set());
  const auto before = scratch.state().list();

  const Send send = [&](const Request& request) { return answer(request, text, mode); };
  const ApplicationFinder finder(scratch.state(), send);
  const auto found = result_of({ErrorKind::protocol, ErrorKind::refused},
                               [&] { return finder.find(url, now).application; });
  if (!found) require(scratch.state().list() == before, "a failure changes no file");
  if (found && *found) {
    require(!mode.raw, "nobody signs by guessing");
    require(mode.keys_cached || !mode.keys_broken, "a signature needs its key");
    check_application(**found, json::parse(in.rest()));
    const auto known = finder.known(url, now);
    require(known == *found || (!known && !holds_path(json::parse(in.rest()))),
            "what was found is known");
  }
  scratch.put("vm.example.com-path-app", text);
  const auto recalled = finder.recall(url);
  if (recalled)
    require(
        !mode.raw && to_lower(json::parse(in.rest()).at("hostname").get<std::string>()) == url.host,
        "what is recalled was signed for this host");
  if (const auto known = finder.known(url, now)) {
    require(known == recalled, "what is known is recalled");
    check_application(*known, json::parse(in.rest()));
  }
  scratch.clear();
});

}  // namespace
}  // namespace mayfly::fuzz
