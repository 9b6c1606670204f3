// The answers by which Access says that a login is wanted or that nobody may pass, and their marks.
#include "marks.hpp"

#include <nlohmann/json.hpp>

#include "admission.hpp"
#include "pages.hpp"

namespace edge {
namespace {

using nlohmann::json;

constexpr const char* missing_token = "Missing or invalid access token";

bool accepts(const Request& request, std::string_view type) {
  return lower(request.header("accept")).find(type) != std::string::npos;
}

bool is_page_request(const Request& request) {
  return request.header("x-requested-with") == "XMLHttpRequest";
}

std::string metadata_address(const Visit& visit) {
  const std::string path = visit.request.target.substr(0, visit.request.target.find('?'));
  return "https://" + visit.request.host + "/.well-known/cloudflare-access-protected-resource" +
         (path.starts_with('/') ? path : "/");
}

void add_aud(const Visit& visit, Response& response) {
  response.fields.push_back({"cf-access-aud", visit.application->aud});
  response.fields.push_back({"cf-access-domain", visit.application->hostname});
}

Response unauthorized_page() {
  return message_page(401, "Unauthorized", "Sign in to see this page.");
}

}  // namespace

Field login_mark(const Visit& visit) {
  return {"WWW-Authenticate",
          "Cloudflare-Access resource_metadata=\"" + metadata_address(visit) + "\""};
}

Response login_wanted(Visit& visit) {
  const bool browser = accepts(visit.request, "text/html");
  if (is_page_request(visit.request) || (visit.application->challenges_programs && !browser)) {
    Response response = unauthorized_page();
    response.fields.push_back(login_mark(visit));
    return response;
  }
  if (visit.application->oauth.enabled && !browser) return bearer_challenge(visit);
  return login_redirect(visit);
}

Response access_forbidden(const Visit& visit) {
  Response response = forbidden_page(visit.request.host, visit.ray);
  if (accepts(visit.request, "application/json")) {
    const json body = {{"aud", visit.application->aud},
                       {"message",
                        "Forbidden. You don't have permission to view this. Please contact your "
                        "system administrator."},
                       {"ray_id", visit.ray},
                       {"status_code", 403},
                       {"team_domain", visit.application->team_domain()}};
    response = respond_json(403, body.dump());
  }
  add_aud(visit, response);
  response.fields.push_back({"Cf-Access-Error", "1"});
  return response;
}

Response service_unauthorized(const Visit& visit) {
  const RefusalMark mark = visit.application->strict_401;
  Response response = respond_json(
      401, json{{"status_code", 401}, {"message", "Unauthorized"}, {"ray_id", visit.ray}}.dump());
  if (mark == RefusalMark::challenge) response.fields.push_back(login_mark(visit));
  if (mark == RefusalMark::aud) add_aud(visit, response);
  return response;
}

Response bearer_challenge(const Visit& visit) {
  const std::string address = metadata_address(visit);
  const json body = {{"error", "invalid_token"},
                     {"error_description", missing_token},
                     {"resource_metadata", address}};
  Response response = respond_json(401, body.dump());
  response.fields.push_back(
      {"WWW-Authenticate", std::string("Bearer realm=\"OAuth\", error=\"invalid_token\", "
                                       "error_description=\"") +
                               missing_token + "\", resource_metadata=\"" + address + "\""});
  response.fields.push_back({"Cache-Control", "no-store"});
  return response;
}

}  // namespace edge
