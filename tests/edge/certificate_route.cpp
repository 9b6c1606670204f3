// POST /cdn-cgi/access/cert_sign: a short-lived SSH certificate for whoever holds an app token.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "clock.hpp"
#include "crypto.hpp"
#include "pages.hpp"
#include "visit.hpp"

namespace edge {
namespace {

using nlohmann::json;

Response refusal(int status, const std::string& message) {
  return respond_json(status, json{{"status", status}, {"message", message}}.dump());
}

Response plain_unauthorized(int status) {
  return respond(status, "text/plain", "unauthorized\n");
}

// An answer of a fault that never comes to signing.
std::optional<Response> spoilt_answer(const Visit& visit, const Fault& fault) {
  const std::string name = fault.name.substr(fault.name.find('.') + 1);
  if (name == "401") return plain_unauthorized(401);
  if (name == "403") return plain_unauthorized(403);
  if (name == "html_502") return error_page(502, 502, visit.ray);
  if (name == "empty") return respond_json(200, "");
  if (name == "garbage") return respond_json(200, R"({"certificate":)");
  if (name == "json_error") {
    return refusal(403, fault.value.empty() ? "certificate signing is off" : fault.value);
  }
  if (name == "no_ca") return refusal(400, "Please create a ca for application");
  if (name == "custom_domain") {
    return refusal(400, "Invalid issuer. Currently only cloudflareaccess subdomains are supported");
  }
  if (name == "control_characters") return refusal(403, "denied\x1b[2J\x1b]0;owned\x07\r\nsecond");
  if (name == "huge") {
    return respond_json(200, json{{"id", "1"}, {"certificate", std::string(4 << 20, 'A')}}.dump());
  }
  return std::nullopt;
}

// Changes the bytes inside a certificate line.
std::string spoilt_line(const std::string& line, const std::string& fault) {
  const std::size_t first = line.find(' ');
  const std::size_t second = std::min(line.find(' ', first + 1), line.size());
  std::string blob = unbase64(line.substr(first + 1, second - first - 1));
  if (fault == "cert_sign.bad_signature") blob.back() = static_cast<char>(blob.back() ^ 1);
  if (fault == "cert_sign.trailing_garbage") blob += "garbage";
  const std::string rest = line.substr(second);
  const std::string changed = line.substr(0, first + 1) + base64(blob) + rest;
  return fault == "cert_sign.two_lines" ? changed + "\n" + changed : changed;
}

void spoil_request(SshRequest& request, const std::string& fault, SshAuthority& authority) {
  if (fault == "cert_sign.foreign_key") request.public_key = authority.foreign_key();
  if (fault == "cert_sign.foreign_principal") request.principals = {"somebody-else"};
  if (fault == "cert_sign.no_principals") request.principals.clear();
  if (fault == "cert_sign.host_certificate") request.host = true;
  if (fault == "cert_sign.extra_critical_option") request.critical_option = "edge@example.com=1";
  if (fault == "cert_sign.expired") {
    request.from = -7200;
    request.until = -3600;
  }
  if (fault == "cert_sign.not_yet_valid") {
    request.from = 3600;
    request.until = 7200;
  }
}

// Whom the certificate is for; empty when the application grants none.
std::vector<std::string> principals_for(const Application& application, const json& claims) {
  const std::string email = claims.value("email", "");
  if (email.empty()) return application.certificate.service_principals;
  if (!application.certificate.principals.empty()) return application.certificate.principals;
  return {email.substr(0, email.find('@'))};
}

// The types of keys that Access is known to sign.
bool is_signed_type(const std::string& public_key) {
  for (const char* type : {"ssh-rsa ", "ssh-ed25519 ", "ecdsa-sha2-nistp256 ",
                           "ecdsa-sha2-nistp384 ", "ecdsa-sha2-nistp521 "})
    if (public_key.starts_with(type)) return true;
  return false;
}

ApplicationPointer application_of(const Config& config, const json& claims) {
  const json aud = claims.value("aud", json());
  const json first = aud.is_array() && !aud.empty() ? aud[0] : aud;
  return first.is_string() ? config.find_audience(first.get<std::string>()) : nullptr;
}

}  // namespace

Response sign_certificate(Visit& visit, const std::string& team) {
  const json body = json::parse(visit.request.body, nullptr, false);
  if (!body.is_object()) return refusal(400, "the request is not JSON");
  const std::string token = body.value("jwt", "");
  const json claims = visit.edge.tokens.open(team, token);
  if (claims.is_null() || claims.value("type", "") != "app") return plain_unauthorized(403);
  if (body.value("issuer", "") != claims.value("iss", "")) return refusal(400, "wrong issuer");
  visit.application = application_of(visit.edge.config, claims);
  if (!visit.application) return refusal(404, "unknown application");
  visit.entry.application = visit.application->name;
  const auto fault = visit.fault_in("cert_sign");
  if (fault && fault->name == "cert_sign.slow") visit.delay += fault->seconds;
  if (fault) {
    if (auto spoilt = spoilt_answer(visit, *fault)) return *spoilt;
  }
  SshRequest request;
  request.public_key = body.value("public_key", "");
  while (request.public_key.ends_with('\n')) request.public_key.pop_back();
  request.id = claims.value("email", claims.value("common_name", "service"));
  request.principals = principals_for(*visit.application, claims);
  request.until = visit.application->certificate.validity;
  if (request.principals.empty()) {
    return refusal(403, "service tokens cannot be used to sign certificates");
  }
  if (!is_signed_type(request.public_key) && !visit.application->certificate.any_key_type)
    return refusal(400, "unsupported public key type");
  if (fault) spoil_request(request, fault->name, visit.edge.ssh);
  const long now = visit.edge.tokens.now();
  std::string line = visit.edge.ssh.sign(request, now);
  if (line.empty()) return refusal(400, "the public key cannot be signed");
  if (fault) line = spoilt_line(line, fault->name);
  ++visit.edge.stats.signatures;
  const json result = {{"id", hex(random_bytes(16))},
                       {"certificate", line},
                       {"expires_at", rfc3339(now + request.until)}};
  return respond_json(200, result.dump());
}

}  // namespace edge
