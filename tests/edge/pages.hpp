// The HTML pages of the edge: errors, login, login done.
#pragma once

#include <optional>
#include <string>

#include "message.hpp"

namespace edge {

// Cloudflare's page for an error code of its own (1033) or of HTTP (502).
Response error_page(int status, int code, const std::string& ray);
Response forbidden_page(const std::string& host, const std::string& ray);
// By the name of the fault without its area: "403_waf", "502"; none for other faults.
std::optional<Response> refusal_page(const std::string& fault, const std::string& host,
                                     const std::string& ray);

struct LoginForm {
  std::string team;
  std::string host;
  std::string aud;
  std::string redirect_url;
  std::string email;
};
Response login_page(const LoginForm& form);

struct ConsentForm {
  std::string client;
  std::string resource;
  std::string email;
  std::string request;
};
// Two forms: the first approves, the second denies.
Response consent_page(const ConsentForm& form);

enum class Window { stays, closes };
Response done_page(Window window);
// For a person whose login no policy lets in.
Response refused_page(const std::string& text);
Response message_page(int status, const std::string& title, const std::string& text);

}  // namespace edge
