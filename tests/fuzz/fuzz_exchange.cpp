// The answers to an exchange of the org token: three heads of HTTP, in sections. Lines may end in
// LF alone, and @TOKEN stands for a token that is good.
#include <vector>

#include "access/http1/head.hpp"
#include "access/identity/exchange.hpp"
#include "access/jwt/jwt.hpp"
#include "fuzz.hpp"
#include "property.hpp"
#include "signing_key.hpp"

namespace mayfly::fuzz {
namespace {

constexpr std::string_view org_token = "the-org-token";
const Application application{"team.cloudflareaccess.com", "audience", "vm.example.com"};
const Url url{"vm.example.com", 443, "/path", "a=b"};

const std::string& good_token() {
  static const std::string token = SigningKey::sign(
      R"({"aud":["audience"],"exp":1893459600,"iss":"https://team.cloudflareaccess.com"})");
  return token;
}

std::string wire_form(std::string_view section) {
  std::string text;
  for (const char c : section) text += c == '\n' ? std::string("\r\n") : std::string(1, c);
  if (const auto at = text.find("@TOKEN"); at != std::string::npos)
    text.replace(at, 6, good_token());
  return text + "\r\n\r\n";
}

Response response_of(std::string_view section) {
  ResponseReader reader;
  reader.feed(wire_form(section));
  auto next = reader.next();
  auto* head = std::get_if<ResponseHead>(&next);
  if (head == nullptr) return {};
  return {.status = head->status, .headers = std::move(head->headers), .body = {}};
}

bool is_at_login(const Url& target) {
  return target.host == application.auth_domain && target.port == 443 &&
         (target.path == "/cdn-cgi/access/login" ||
          target.path.starts_with("/cdn-cgi/access/login/"));
}

void check_request(const Request& request) {
  require(request.body.empty() && request.headers.size() <= 1, "there is one cookie at most");
  for (const Header& header : request.headers) {
    header_line(header);  // throws for what would begin a header of its own
    if (header.value == "CF_Authorization=" + std::string(org_token))
      require(is_at_login(request.url),
              "the org token goes to the team's login page and to nobody else");
    else if (header.name == "Accept")
      require(header.value == "text/html" && request.url == url,
              "the application is asked as by a browser");
    else
      require(header.value.starts_with("CF_AppSession=") && request.url.origin() == url.origin(),
              "the session goes back to where it came from");
  }
  if (request.headers.empty())
    require(request.url.origin() == url.origin(), "nobody else is asked");
}

const Harness harness("exchange", [](std::string_view input) {
  Input sections(input);
  std::vector<Request> requests;
  const Send send = [&](const Request& request) {
    check_request(request);
    requests.push_back(request);
    return response_of(sections.section());
  };
  const auto token = result_of({ErrorKind::network}, [&] {
    return exchange_org_token(send, {url, application, Secret(org_token), now, [] {}});
  });
  require(token.has_value() && requests.size() <= 3, "it ends after three requests");
  if (!*token) return;
  const auto claims = read_token((*token)->reveal());
  require(claims && claims->is_for("audience") && claims->expires > now &&
              claims->issuer == "https://team.cloudflareaccess.com",
          "what comes back is a token for the application");
});

}  // namespace
}  // namespace mayfly::fuzz
