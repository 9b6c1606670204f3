#include "cli/tokens/status_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "access/core/clock.hpp"
#include "access/core/text.hpp"
#include "cli/terminal/message.hpp"
#include "cli/terminal/time_text.hpp"

namespace mayfly::cli {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;
using State = StatusEntry::State;
using Kind = StatusEntry::Kind;

StatusEntry token_entry(const TokenFile& token, const Inventory& inventory, sys_seconds now) {
  StatusEntry entry;
  entry.kind = token.kind == TokenFile::Kind::team ? Kind::org_token : Kind::app_token;
  entry.opens = hostname_at(token.place, inventory);
  entry.file = token.name;
  entry.problem = token.objection;
  if (!token.claims) {
    entry.state = State::malformed;
    return entry;
  }
  // The audience tells the application, whatever the name of the file.
  for (const RememberedApplication& known : inventory.applications)
    if (entry.kind == Kind::app_token && token.claims->is_for(known.application.audience))
      entry.opens = known.application.hostname;
  entry.identity = token.claims->identity();
  entry.expires = token.claims->expires;
  entry.state = token.claims->expires > now ? State::valid : State::expired;
  return entry;
}

StatusEntry certificate_entry(const sshgen::KeptCertificate& kept, const Inventory& inventory,
                              sys_seconds now) {
  StatusEntry entry;
  entry.kind = Kind::certificate;
  if (kept.where == sshgen::KeptCertificate::Where::agent) entry.place = StatusEntry::Place::agent;
  entry.is_own_key = kept.is_own_key;
  entry.opens = hostname_at(kept.place, inventory);
  entry.file = kept.file;
  entry.problem = kept.objection;
  if (!kept.certificate) {
    entry.state = State::malformed;
    return entry;
  }
  const sshgen::Certificate& certificate = *kept.certificate;
  entry.identity = fmt::format("{}", fmt::join(certificate.principals, ","));
  // A later end cannot be written, and means never.
  if (certificate.valid_before <=
      static_cast<std::uint64_t>(last_second.time_since_epoch().count()))
    entry.expires = sys_seconds(seconds(static_cast<std::int64_t>(certificate.valid_before)));
  if (certificate.remaining_at(now) == seconds(0))
    entry.state = State::expired;
  else if (!certificate.valid_at(now))
    entry.state = State::not_yet_valid;
  return entry;
}

StatusEntry oauth_entry(const OauthFile& file, sys_seconds now) {
  StatusEntry entry;
  entry.kind = Kind::oauth_grant;
  entry.file = file.name;
  entry.opens = file.grant ? file.grant->application : file.place;
  if (!file.grant) {
    entry.state = State::malformed;
    entry.problem = fmt::format("{} holds no grant of Managed OAuth", file.name);
    return entry;
  }
  entry.renews_itself = file.grant->renews_itself;
  if (entry.renews_itself) return entry;
  entry.expires = file.grant->expires;
  entry.state = file.grant->expires > now ? State::valid : State::expired;
  return entry;
}

std::string_view name_of(Kind kind) {
  constexpr std::array<std::string_view, 4> names = {"app_token", "org_token", "oauth_grant",
                                                     "certificate"};
  return names[static_cast<std::size_t>(kind)];
}

std::string_view name_of(State state) {
  constexpr std::array<std::string_view, 4> names = {"valid", "not_yet_valid", "expired",
                                                     "malformed"};
  return names[static_cast<std::size_t>(state)];
}

std::string words(std::string_view name) {
  std::string text(name);
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

std::string shown(const std::string& text) {
  return text.empty() ? "-" : printable(text, 80);
}

std::string ending_of(const StatusEntry& entry, sys_seconds now) {
  if (entry.state != State::valid) return words(name_of(entry.state));
  if (entry.renews_itself) return "renews itself";
  return entry.expires ? duration_text(*entry.expires - now) : "never";
}

using Row = std::array<std::string, 4>;

Row row_of(const StatusEntry& entry, sys_seconds now) {
  const bool in_agent = entry.place == StatusEntry::Place::agent;
  const char* where = in_agent ? " (agent)" : entry.is_own_key ? " (own key)" : "";
  return {words(name_of(entry.kind)) + where, shown(entry.identity), shown(entry.opens),
          ending_of(entry, now)};
}

// Counts the columns of a terminal, one for each UTF-8 character.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

nlohmann::ordered_json text_or_null(const std::string& text) {
  return text.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(text);
}

nlohmann::ordered_json json_of(const StatusEntry& entry, sys_seconds now) {
  nlohmann::ordered_json object = {
      {"kind", name_of(entry.kind)},
      {"state", name_of(entry.state)},
      {"identity", text_or_null(entry.identity)},
      {"opens", entry.opens},
      {"expires", nullptr},
      {"seconds_left", nullptr},
      {"place", entry.place == StatusEntry::Place::agent ? "agent" : "disk"},
      {"file", text_or_null(entry.file)},
      {"problem", text_or_null(entry.problem)}};
  if (entry.expires) {
    object["expires"] = rfc3339(*entry.expires);
    object["seconds_left"] = std::max<std::int64_t>(0, (*entry.expires - now).count());
  }
  return object;
}

nlohmann::ordered_json json_of(const Person& person) {
  nlohmann::ordered_json posture = nlohmann::ordered_json::array();
  for (const Person::Posture& one : person.posture)
    posture.push_back({{"rule", one.rule}, {"passed", one.passed}});
  return {{"email", text_or_null(person.email)},
          {"name", text_or_null(person.name)},
          {"machine", text_or_null(person.machine)},
          {"identity_provider", text_or_null(person.provider)},
          {"groups", person.groups},
          {"posture", std::move(posture)}};
}

nlohmann::ordered_json json_of(const OnlineAnswer& answer) {
  return {{"team", answer.team},
          {"application", text_or_null(answer.application)},
          {"person", answer.person ? json_of(*answer.person) : nlohmann::ordered_json(nullptr)},
          {"problem", text_or_null(answer.problem)}};
}

}  // namespace

std::vector<StatusEntry> status_entries(const Inventory& inventory,
                                        const std::vector<sshgen::KeptCertificate>& certificates,
                                        sys_seconds now) {
  std::vector<StatusEntry> entries;
  for (const TokenFile& token : inventory.tokens)
    entries.push_back(token_entry(token, inventory, now));
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return a.kind < b.kind; });
  for (const OauthFile& file : inventory.oauth_files)
    if (file.kind == OauthFile::Kind::grant) entries.push_back(oauth_entry(file, now));
  for (const auto& kept : certificates) entries.push_back(certificate_entry(kept, inventory, now));
  return entries;
}

std::string status_table(const std::vector<StatusEntry>& entries, sys_seconds now) {
  std::vector<Row> rows = {{"WHAT", "IDENTITY", "OPENS", "ENDS IN"}};
  for (const StatusEntry& entry : entries) rows.push_back(row_of(entry, now));
  std::array<std::size_t, 4> widths{};
  for (const Row& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  std::string table;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i)
      table += row[i] + std::string(widths[i] - width_of(row[i]) + 2, ' ');
    table += row.back() + "\n";
  }
  return table;
}

std::string listener_lines(const std::vector<HttpPort>& listeners) {
  std::string lines;
  for (const HttpPort& one : listeners)
    lines += fmt::format("{} is at {} for mayfly http, in a browser at {}\n",
                         shown(one.application), one.address(), one.browser_address());
  return lines;
}

std::string online_lines(const std::vector<OnlineAnswer>& answers) {
  std::string lines;
  for (const OnlineAnswer& one : answers) {
    const std::string name = shown(one.application.empty() ? one.team : one.application);
    if (one.person)
      lines += fmt::format("{} knows you as {}\n", name, one.person->text());
    else if (one.problem.empty())
      lines += fmt::format("the session at {} has ended: log in again\n", name);
    else
      lines += fmt::format("{} was not asked: {}\n", name, printable(one.problem, 400));
  }
  return lines;
}

std::string status_json(const StatusReport& report, sys_seconds now) {
  nlohmann::ordered_json entries = nlohmann::ordered_json::array();
  for (const StatusEntry& entry : report.entries) entries.push_back(json_of(entry, now));
  nlohmann::ordered_json listeners = nlohmann::ordered_json::array();
  for (const HttpPort& one : report.listeners)
    listeners.push_back({{"application", one.application},
                         {"address", one.address()},
                         {"browser_address", one.browser_address()}});
  nlohmann::ordered_json object = {{"directory", report.directory},
                                   {"entries", std::move(entries)},
                                   {"listeners", std::move(listeners)}};
  if (report.online) {
    object["online"] = nlohmann::ordered_json::array();
    for (const OnlineAnswer& one : *report.online) object["online"].push_back(json_of(one));
  }
  return json_text(object);
}

std::string login_json(const Application& application, const std::optional<StoredToken>& token,
                       const std::string& why_not_stored) {
  nlohmann::ordered_json report = {{"application", application.hostname},
                                   {"identity", nullptr},
                                   {"expires", nullptr},
                                   {"stored", why_not_stored.empty()},
                                   {"why_not_stored", text_or_null(why_not_stored)}};
  if (token) {
    report["identity"] = token->claims.identity();
    report["expires"] = rfc3339(token->claims.expires);
  }
  return json_text(report);
}

std::string login_json(const Application& application, const OauthToken& token) {
  return json_text({{"application", application.hostname},
                    {"identity", nullptr},
                    {"expires", rfc3339(token.expires)},
                    {"stored", true},
                    {"why_not_stored", nullptr}});
}

std::string token_json(const Application& application, const OauthToken& token) {
  return json_text({{"token", token.access.reveal()},
                    {"expires", rfc3339(token.expires)},
                    {"identity", nullptr},
                    {"audience", application.audience},
                    {"header", "Authorization: Bearer"}});
}

std::string token_json(const Application& application, const StoredToken& token) {
  return json_text({{"token", token.jwt.reveal()},
                    {"expires", rfc3339(token.claims.expires)},
                    {"identity", token.claims.identity()},
                    {"audience", application.audience}});
}

}  // namespace mayfly::cli
