#include "cli/tokens/logout_plan.hpp"

#include <algorithm>
#include <set>

#include "access/core/state_names.hpp"
#include "access/identity/place.hpp"

namespace mayfly::cli {
namespace {

using Names = std::set<std::string>;

// The names by which the state files show an application.
struct Subject {
  Names places;     // file stems of the URLs that lead to it
  Names hostnames;  // as defined, as file stems
  Names audiences;
  Names teams;
};

void add(Subject& subject, const RememberedApplication& known) {
  subject.places.insert(known.place);
  subject.hostnames.insert(file_name(known.application.hostname));
  subject.audiences.insert(known.application.audience);
  subject.teams.insert(known.application.auth_domain);
}

const RememberedApplication* application_of(const Inventory& inventory, const Url& url) {
  for (const std::string& place : places_above(url))
    for (const auto& known : inventory.applications)
      if (known.place == place && is_at(known.application, place, url)) return &known;
  return nullptr;
}

Subject subject_of(const Inventory& inventory, const Url& url) {
  Subject subject;
  Url without_port = url;  // the names of tokens and keys have no port
  without_port.port = 443;
  const std::string place = place_of(without_port);
  // The name of a key keeps the "/" at the end of a URL; cloudflared's also that of a bare host.
  subject.places = {place_of(url), place, place + "-"};
  subject.hostnames = {place};
  if (const auto* known = application_of(inventory, url)) add(subject, *known);
  for (const auto& known : inventory.applications)
    if (subject.audiences.contains(known.application.audience)) add(subject, known);
  return subject;
}

bool names_audience(const Subject& subject, const TokenFile& token) {
  return token.claims && std::any_of(subject.audiences.begin(), subject.audiences.end(),
                                     [&](const auto& tag) { return token.claims->is_for(tag); });
}

bool belongs(const Subject& subject, const TokenFile& token) {
  return token.kind == TokenFile::Kind::application &&
         (subject.hostnames.contains(token.place) || names_audience(subject, token));
}

bool is_lock_of(const Subject& subject, const std::string& base) {
  if (const auto place = place_in_token_name(base)) return subject.hostnames.contains(*place);
  auto place = stem_of(StateFile::private_key, base);
  if (!place) place = stem_of(StateFile::oauth_grant, base);
  return place && subject.places.contains(std::string(*place));
}

void choose_oauth_files(LogoutPlan& plan, const Inventory& inventory, const Subject& subject) {
  for (const OauthFile& file : inventory.oauth_files)
    if (subject.places.contains(file.place) ||
        (file.grant && subject.audiences.contains(file.grant->audience)))
      plan.oauth_files.push_back(file);
}

constexpr std::string_view https = "https://";

void choose_tokens(LogoutPlan& plan, const Inventory& inventory, Subject& subject) {
  Names bases;
  for (const TokenFile& token : inventory.tokens) {
    if (!belongs(subject, token)) continue;
    plan.tokens.push_back(token);
    bases.insert(token.name);
    if (token.claims && token.claims->issuer.starts_with(https))
      subject.teams.insert(token.claims->issuer.substr(https.size()));
  }
  for (const TokenFile& token : inventory.tokens)
    if (token.kind == TokenFile::Kind::team && subject.teams.contains(token.place))
      plan.kept_teams.push_back(token.place);
  for (const std::string& base : inventory.lock_bases)
    if (bases.contains(base) || is_lock_of(subject, base)) plan.lock_bases.push_back(base);
}

void choose_caches(LogoutPlan& plan, const Inventory& inventory, const Subject& subject) {
  Names needed;
  for (const auto& known : inventory.applications) {
    if (subject.places.contains(known.place))
      plan.applications.push_back(known);
    else
      needed.insert(known.application.auth_domain);
  }
  for (const std::string& team : inventory.key_sets)
    if (subject.teams.contains(team) && !needed.contains(team)) plan.key_sets.push_back(team);
}

}  // namespace

LogoutPlan plan_logout(const Inventory& inventory, const std::vector<std::string>& places_with_keys,
                       const std::optional<Url>& url) {
  LogoutPlan plan;
  if (!url) {
    plan.tokens = inventory.tokens;
    plan.places = places_with_keys;
    plan.applications = inventory.applications;
    plan.oauth_files = inventory.oauth_files;
    plan.key_sets = inventory.key_sets;
    plan.service_tokens = inventory.service_tokens;
    plan.lock_bases = inventory.lock_bases;
    return plan;
  }
  Subject subject = subject_of(inventory, *url);
  choose_tokens(plan, inventory, subject);
  choose_caches(plan, inventory, subject);
  choose_oauth_files(plan, inventory, subject);
  plan.places.assign(subject.places.begin(), subject.places.end());
  Names marked = subject.hostnames;
  marked.insert(subject.places.begin(), subject.places.end());
  marked.erase(place_of(*url) + "-");
  plan.marked.assign(marked.begin(), marked.end());
  return plan;
}

}  // namespace mayfly::cli
