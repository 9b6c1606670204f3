#include "sshgen/sign.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "access/answer/login.hpp"
#include "access/core/edge_clock.hpp"
#include "access/core/json.hpp"
#include "access/core/text.hpp"
#include "access/identity/application.hpp"
#include "sshgen/keypair.hpp"

namespace mayfly::sshgen {
namespace {

constexpr std::string_view signer_path = "/cdn-cgi/access/cert_sign";

// The text of an answer, from the signer or from a proxy in its place.
struct Words {
  enum class Form { json, text, html } form = Form::text;
  std::string text;  // printable
  std::int64_t status = 0;
};

std::string title_of(std::string_view html, std::string_view lower) {
  const auto tag = lower.find("<title");
  if (tag == std::string_view::npos) return {};
  const auto open_end = lower.find('>', tag);
  if (open_end == std::string_view::npos) return {};
  const auto close = lower.find("</title", open_end);
  if (close == std::string_view::npos) return {};
  return std::string(html.substr(open_end + 1, close - open_end - 1));
}

// Replaces each run of white space by one space, since pages break their titles over several lines.
std::string on_one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (!space)
      line += c;
    else if (!line.empty() && line.back() != ' ')
      line += ' ';
  }
  return std::string(trim(line));
}

Words words_of(const Response& response) {
  if (const auto json = parse_json(response.body); json && json->is_object()) {
    const auto message = string_member(*json, "message");
    return {Words::Form::json, printable(on_one_line(message.value_or(""))),
            integer_member(*json, "status").value_or(0)};
  }
  const auto lower = to_lower(response.body.substr(0, 64 << 10));
  const auto first = lower.substr(0, std::min(lower.find('>'), lower.size()));
  if (first.find("<!doctype html") != std::string::npos ||
      first.find("<html") != std::string::npos || lower.find("<title") != std::string::npos)
    return {Words::Form::html, printable(on_one_line(title_of(response.body, lower))), 0};
  return {Words::Form::text, printable(on_one_line(response.body)), 0};
}

std::string quoted(const Words& words) {
  if (words.text.empty() && words.form == Words::Form::text) return "an empty answer";
  if (words.text.empty())
    return words.form == Words::Form::html ? "an HTML page" : "no reason given";
  return words.form == Words::Form::html ? fmt::format("an HTML page titled \"{}\"", words.text)
                                         : fmt::format("\"{}\"", words.text);
}

bool rejects_token(const Url& signer, const Response& response, const Words& words) {
  const int status = response.status;
  if (wants_login(signer, status, response.headers)) return true;
  if (words.form == Words::Form::html) return false;
  return status == 401 || status == 403 || words.status == 401 || words.status == 403 ||
         to_lower(words.text).starts_with("unauthorized");
}

constexpr std::string_view administrator_hint =
    "ask an administrator of the team whether short-lived certificates are set up for this "
    "application (Access > Service Auth > SSH) and whether your policy covers you";

// Returns the hint for a message of Cloudflare's signer that says that it never signs for the
// application (docs/protocol.md section 6), or "".
std::string_view hint_if_never_signed(const Words& words) {
  const std::string text = to_lower(words.text);
  if (text.find("create a ca for application") != std::string::npos)
    return "an administrator has to generate the certificate for this application in the "
           "dashboard: Access > Service Auth > SSH (step 3 in mayfly's README)";
  if (text.find("only cloudflareaccess subdomains") != std::string::npos)
    return "certificates cannot be signed for a team with a custom domain: an administrator can "
           "give the team its name under cloudflareaccess.com back; until then, use an SSH key of "
           "your own";
  return {};
}

std::string hint_for(const Words& words) {
  return words.form == Words::Form::html
             ? "a proxy or firewall on the way answered in the signer's place"
             : std::string(administrator_hint);
}

[[noreturn]] void throw_refusal(const Url& signer, const Response& response, const Words& words) {
  const auto what = fmt::format("certificate not signed by {} ({}): {}", signer.host,
                                response.reference(), quoted(words));
  if (const auto hint = hint_if_never_signed(words); !hint.empty())
    throw NoCertificates(ErrorKind::refused, what, std::string(hint));
  if (rejects_token(signer, response, words))
    throw TokenRejected(ErrorKind::refused,
                        fmt::format("certificate refused by {} ({}): {}", signer.host,
                                    response.reference(), quoted(words)),
                        hint_for(words));
  if (response.status >= 500)
    throw Error(ErrorKind::network, what, "the signer is in trouble; try again in a moment");
  if (response.status >= 400) throw Error(ErrorKind::refused, what, hint_for(words));
  throw Error(ErrorKind::protocol, what);
}

Url signer_of(const Subject& subject) {
  const Application& application = subject.application;
  const StoredToken& token = subject.token;
  if (token.claims.issuer != issuer_of(application.auth_domain))
    throw Error(
        ErrorKind::protocol,
        fmt::format("the token is not sent to be signed for: its issuer {} is not the "
                    "application's team https://{}",
                    printable(token.claims.issuer, 100), printable(application.auth_domain, 100)),
        "log in again with: mayfly access login");
  Url signer;
  signer.host = application.auth_domain;
  signer.path = signer_path;
  return signer;
}

// Returns the JSON body in one buffer, so that the token has one copy to wipe; a JSON library would
// make more. Only the line feed needs escaping: the JWT is base64url and dots, the issuer was
// checked, and the public line is base64.
std::string request_body(const Subject& subject, std::string_view public_line) {
  const auto jwt = subject.token.jwt.reveal();
  if (public_line.ends_with('\n')) public_line.remove_suffix(1);
  std::string body;
  body.reserve(jwt.size() + public_line.size() + 1024);
  return body.append(R"({"public_key":")")
      .append(public_line)
      .append(R"(\n","jwt":")")
      .append(jwt)
      .append(R"(","issuer":")")
      .append(subject.token.claims.issuer)
      .append(R"("})");
}

struct WipedRequest : Request {
  WipedRequest() = default;
  WipedRequest(const WipedRequest&) = delete;
  WipedRequest& operator=(const WipedRequest&) = delete;
  ~WipedRequest() { wipe(body); }
};

std::string certificate_line(const Url& signer, const Response& response) {
  if (response.status == 200)
    if (const auto json = parse_json(response.body))
      if (const auto line = string_member(*json, "certificate"); line && !line->empty())
        return *line;
  auto words = words_of(response);
  if (response.status != 200 || words.status >= 400 || rejects_token(signer, response, words))
    throw_refusal(signer, response, words);
  if (response.body.empty())
    throw Error(ErrorKind::protocol, fmt::format("the answer of {} is empty", signer.host),
                "try again; ask an administrator of the team if that does not help");
  throw Error(ErrorKind::protocol,
              words.form == Words::Form::json
                  ? fmt::format("the answer of {} holds no certificate", signer.host)
                  : fmt::format("the answer of {} is not JSON: {}", signer.host, quoted(words)));
}

}  // namespace

Signed request_certificate(const Send& send, const Subject& subject, const std::string& public_line,
                           std::chrono::sys_seconds now) {
  WipedRequest request;
  request.method = Request::Method::post;
  request.url = signer_of(subject);
  request.headers = {{"Content-Type", "application/json"}};
  request.body = request_body(subject, public_line);
  request.purpose = "a certificate";
  request.before_sending = subject.before_sending;
  const auto response = send(request);
  const auto& signer = request.url.host;

  auto line = certificate_line(request.url, response);
  while (line.ends_with('\n') || line.ends_with('\r')) line.pop_back();
  line += '\n';
  auto certificate = parse_certificate(line);
  if (!certificate)
    throw Error(ErrorKind::protocol,
                fmt::format("the answer of {} is no SSH certificate: \"{}\"", signer,
                            printable(line.substr(0, line.size() - 1), 60)));
  const auto public_blob = public_blob_of_line(public_line).value_or("");
  if (const auto objection = objection_to(*certificate, public_blob, now))
    throw Error(
        ErrorKind::protocol,
        fmt::format("the certificate from {} must not be used: {}", signer, objection->text),
        objection->to == Objection::To::time
            ? clock_hint("this computer's clock agrees with the signer's: ask the administrator")
            : "");
  return {std::move(line), *std::move(certificate)};
}

}  // namespace mayfly::sshgen
