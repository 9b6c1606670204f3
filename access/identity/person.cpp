#include "access/identity/person.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "access/answer/cookies.hpp"
#include "access/core/error.hpp"
#include "access/core/json.hpp"
#include "access/core/text.hpp"

namespace mayfly {
namespace {

using nlohmann::json;

constexpr std::size_t most_shown = 50;     // groups, rules
constexpr std::size_t longest_shown = 80;  // bytes of one text

std::string shown(const std::optional<std::string>& text) {
  return printable(text.value_or(""), longest_shown);
}

const json* object_in(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_object() ? &*found : nullptr;
}

// A group is a text, or an object with a name: identity providers differ.
std::string group_name(const json& group) {
  if (group.is_string()) return printable(group.get<std::string>(), longest_shown);
  if (!group.is_object()) return {};
  for (const char* name : {"name", "email", "id"})
    if (const auto text = string_member(group, name); text && !text->empty()) return shown(text);
  return {};
}

std::vector<std::string> groups_in(const json& identity) {
  std::vector<std::string> groups;
  const auto given = identity.find("groups");
  if (given == identity.end() || !given->is_array()) return groups;
  for (const json& group : *given)
    if (auto name = group_name(group); !name.empty() && groups.size() < most_shown)
      groups.push_back(std::move(name));
  return groups;
}

std::vector<Person::Posture> posture_in(const json& identity) {
  std::vector<Person::Posture> posture;
  const json* given = object_in(identity, "devicePosture");
  if (given == nullptr) return posture;
  for (const auto& [id, rule] : given->items()) {
    if (!rule.is_object() || posture.size() == most_shown) continue;
    std::string name;
    for (const char* member : {"rule_name", "type"})
      if (name.empty()) name = shown(string_member(rule, member));
    const auto success = rule.find("success");
    posture.push_back({name.empty() ? printable(id, longest_shown) : std::move(name),
                       success != rule.end() && success->is_boolean() && success->get<bool>()});
  }
  return posture;
}

Response ask(const Send& send, const PersonToken& token, std::string_view path,
             std::string_view purpose) {
  Request request;
  request.url.host = token.at.host;
  request.url.port = token.at.port;
  request.url.path = path;
  request.headers.add("Cookie",
                      std::string(authorization_cookie).append("=").append(token.token.reveal()));
  request.purpose = purpose;
  request.before_sending = token.before_sending;
  return send(request);
}

bool is_success(int status) {
  return status >= 200 && status < 400;
}

}  // namespace

std::optional<Person> read_person(std::string_view text) {
  const auto identity = parse_json(text);
  if (!identity || !identity->is_object()) return std::nullopt;
  Person person;
  person.email = shown(string_member(*identity, "email"));
  person.name = shown(string_member(*identity, "name"));
  if (const json* provider = object_in(*identity, "idp"))
    person.provider = shown(string_member(*provider, "type"));
  for (const char* member : {"service_token_id", "common_name"})
    if (person.machine.empty()) person.machine = shown(string_member(*identity, member));
  person.groups = groups_in(*identity);
  person.posture = posture_in(*identity);
  if (person.email.empty() && person.name.empty() && person.machine.empty()) return std::nullopt;
  return person;
}

std::string Person::text() const {
  std::string all = email.empty() ? (name.empty() ? machine : name) : email;
  if (!name.empty() && !email.empty()) all += fmt::format(" ({})", name);
  if (!provider.empty()) all += ", by " + provider;
  all +=
      groups.empty() ? ", in no group" : fmt::format(", in the groups {}", fmt::join(groups, ", "));
  std::string rules;
  for (const Posture& one : posture)
    rules += fmt::format("{}{} {}", rules.empty() ? "" : ", ", one.rule,
                         one.passed ? "passed" : "failed");
  if (!rules.empty()) all += "; device posture: " + rules;
  return all;
}

std::optional<Person> ask_person(const Send& send, const PersonToken& token) {
  const Response response = ask(send, token, "/cdn-cgi/access/get-identity", "the identity");
  if (response.status == 200) {
    if (auto person = read_person(response.body)) return person;
    throw Error(ErrorKind::protocol,
                fmt::format("{} does not say who you are: its answer holds no identity",
                            token.at.authority()),
                "ask the administrator");
  }
  // Without a session, Access answers 400 {"err":"no app token set"}, or sends to the login page.
  if (response.status >= 300 && response.status < 500) return std::nullopt;
  throw Error(
      ErrorKind::network,
      fmt::format("{} does not say who you are ({})", token.at.authority(), response.reference()),
      "try again in a moment");
}

void end_sessions(const Send& send, const PersonToken& token) {
  const Response response = ask(send, token, "/cdn-cgi/access/logout", "the end of the session");
  if (is_success(response.status)) return;
  throw Error(
      ErrorKind::refused,
      fmt::format("{} does not end the session ({})", token.at.authority(), response.reference()),
      fmt::format("open https://{}/cdn-cgi/access/logout in the browser in which you have "
                  "logged in",
                  token.at.authority()));
}

}  // namespace mayfly
