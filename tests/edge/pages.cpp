// The HTML pages of the edge: errors, login, login done.
#include "pages.hpp"

namespace edge {
namespace {

const char* const style =
    "body{font:16px/1.5 system-ui,sans-serif;color:#1d1d1f;background:#f2f3f5;margin:0;"
    "min-height:100vh;display:flex;align-items:center;justify-content:center}"
    "main{background:#fff;border-radius:12px;box-shadow:0 2px 16px rgba(0,0,0,.12);"
    "box-sizing:border-box;width:calc(100% - 2rem);max-width:26rem;padding:2rem}"
    "h1{font-size:1.4rem;line-height:1.25;margin:0 0 .5rem;overflow-wrap:anywhere}"
    "h2{font-size:1.1rem;margin:0 0 .5rem}"
    "p{margin:0 0 1rem;color:#5c6066;overflow-wrap:anywhere}p:last-child{margin:0}"
    "label{display:block;font-size:.9rem;font-weight:600;margin:0 0 .25rem}"
    "input,button{font:inherit;width:100%;box-sizing:border-box;padding:.6rem .75rem;"
    "border-radius:6px;border:1px solid #b8bcc2}"
    "button{margin-top:1rem;border-color:#b54708;background:#b54708;color:#fff;font-weight:600;"
    "cursor:pointer}"
    "#success::before{content:'\\2713';color:#1a7f37;margin-right:.5rem}"
    "#refused::before{content:'\\2715';color:#b42318;margin-right:.5rem}";

// Fit for a phone too: a login URL may have come as a QR code.
std::string document(const std::string& title, const std::string& body) {
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><meta "
         "name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>" +
         title + "</title>\n<style>" + style + "</style></head>\n<body>\n<main>\n" + body +
         "</main>\n</body>\n</html>\n";
}

std::string hidden(const char* name, const std::string& value) {
  return std::string("<input type=\"hidden\" name=\"") + name + "\" value=\"" + escape_html(value) +
         "\">\n";
}

const char* explain(int code) {
  switch (code) {
    case 429:
      return "Rate limited";
    case 500:
      return "Internal server error";
    case 502:
      return "Bad gateway";
    case 503:
      return "Service temporarily unavailable";
    case 1016:
      return "Origin DNS error";
    case 1020:
      return "Access denied";
    case 1033:
      return "Cloudflare Tunnel error";
    default:
      return "Error";
  }
}

}  // namespace

Response error_page(int status, int code, const std::string& ray) {
  const std::string number = std::to_string(code);
  return respond(
      status, "text/html; charset=UTF-8",
      document(std::string(explain(code)) + " | Cloudflare",
               "<h1>Error <span>" + number + "</span></h1>\n<h2>" + explain(code) +
                   "</h2>\n<p>error code: " + number + "</p>\n<p>Ray ID: " + ray + "</p>\n"));
}

Response forbidden_page(const std::string& host, const std::string& ray) {
  return respond(403, "text/html; charset=UTF-8",
                 document("Forbidden - Cloudflare Access",
                          "<h1>Forbidden</h1>\n<p>You don't have permission to view this. Please "
                          "contact your system administrator.</p>\n<p>" +
                              escape_html(host) +
                              " uses Cloudflare Access.</p>\n<p>Ray ID: " + ray + "</p>\n"));
}

std::optional<Response> refusal_page(const std::string& fault, const std::string& host,
                                     const std::string& ray) {
  if (fault == "530_1033") return error_page(530, 1033, ray);
  if (fault == "403_waf") return error_page(403, 1020, ray);
  if (fault == "403_challenge") {
    Response page = forbidden_page(host, ray);
    page.fields.push_back({"cf-mitigated", "challenge"});
    return page;
  }
  if (fault.size() != 3) return std::nullopt;
  const int status = std::stoi(fault);  // 404, 429, 500, 502, 503
  return error_page(status, status, ray);
}

Response login_page(const LoginForm& form) {
  Response page = respond(
      200, "text/html; charset=UTF-8",
      document("Sign in - Cloudflare Access",
               "<h1>Log in to " + escape_html(form.host) + "</h1>\n<p>" + escape_html(form.team) +
                   "</p>\n<form method=\"post\" action=\"/cdn-cgi/access/callback\">\n" +
                   hidden("host", form.host) + hidden("kid", form.aud) +
                   hidden("redirect_url", form.redirect_url) +
                   "<label for=\"email\">Email</label>\n"
                   "<input type=\"email\" name=\"email\" id=\"email\" autocomplete=\"email\" "
                   "autofocus required value=\"" +
                   escape_html(form.email) +
                   "\">\n<button type=\"submit\" id=\"sign-in\">Sign in</button>\n</form>\n"));
  page.fields.push_back({"Cache-Control", "no-store"});
  return page;
}

Response consent_page(const ConsentForm& form) {
  std::string forms;
  for (const char* decision : {"approve", "deny"}) {
    const std::string label = std::string(decision) == "approve" ? "Approve" : "Deny";
    forms += "<form method=\"post\" action=\"/cdn-cgi/access/oauth/consent\">\n" +
             hidden("request", form.request) + hidden("decision", decision) +
             "<button type=\"submit\" id=\"" + decision + "\">" + label + "</button>\n</form>\n";
  }
  const std::string client = form.client.empty() ? "A program" : form.client;
  Response page = respond(200, "text/html; charset=UTF-8",
                          document("Authorize - Cloudflare Access",
                                   "<h1>" + escape_html(client) + " asks for access</h1>\n<p>To " +
                                       escape_html(form.resource) + " as " +
                                       escape_html(form.email) + ".</p>\n" + forms));
  page.fields.push_back({"Cache-Control", "no-store"});
  return page;
}

Response done_page(Window window) {
  const std::string script = window == Window::closes
                                 ? "<script>setTimeout(function(){window.close()},100)</script>\n"
                                 : "";
  return respond(200, "text/html; charset=UTF-8",
                 document("Success - Cloudflare Access",
                          "<h1 id=\"success\">Success!</h1>\n<p>You have logged in and you may "
                          "close this window and return to your terminal.</p>\n" +
                              script));
}

Response refused_page(const std::string& text) {
  return respond(403, "text/html; charset=UTF-8",
                 document("Forbidden - Cloudflare Access",
                          "<h1 id=\"refused\">Forbidden</h1>\n<p>" + escape_html(text) + "</p>\n"));
}

Response message_page(int status, const std::string& title, const std::string& text) {
  return respond(status, "text/html; charset=UTF-8",
                 document(title + " - Cloudflare Access",
                          "<h1>" + title + "</h1>\n<p>" + escape_html(text) + "</p>\n"));
}

}  // namespace edge
