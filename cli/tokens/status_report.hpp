// What status, login and token report about stored credentials.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "access/identity/application.hpp"
#include "access/identity/inventory.hpp"
#include "access/identity/oauth_login.hpp"
#include "access/identity/person.hpp"
#include "access/identity/token_store.hpp"
#include "cli/session/http_address.hpp"
#include "sshgen/inventory.hpp"

namespace mayfly::cli {

struct StatusEntry {
  enum class Kind { app_token, org_token, oauth_grant, certificate } kind = Kind::app_token;
  enum class Place { disk, agent } place = Place::disk;
  enum class State { valid, not_yet_valid, expired, malformed } state = State::valid;
  std::string opens;     // the application's hostname as defined, or the team domain
  std::string identity;  // email, common name or principals; "" if malformed
  std::optional<std::chrono::sys_seconds> expires;  // nullopt if malformed, or for never
  std::string file;                                 // "" in the agent
  std::string problem;                              // of a malformed file
  bool is_own_key = false;                          // a certificate for a key of the person's own
  bool renews_itself = false;                       // a grant of Managed OAuth
};

// Returns app tokens, then org tokens, then grants of Managed OAuth, then certificates.
std::vector<StatusEntry> status_entries(const Inventory& inventory,
                                        const std::vector<sshgen::KeptCertificate>& certificates,
                                        std::chrono::sys_seconds now);

// Returns four aligned columns, fit to be shown.
std::string status_table(const std::vector<StatusEntry>& entries, std::chrono::sys_seconds now);

// Returns a line for each application that `mayfly http` has an address for.
std::string listener_lines(const std::vector<HttpPort>& listeners);

// What Access says about a session. Without a person and a problem, the session has ended.
struct OnlineAnswer {
  std::string team;         // the team domain
  std::string application;  // whose app token was shown; "" for the org token
  std::optional<Person> person;
  std::string problem;  // why Access could not be asked
};

// Returns a line for each answer, fit to be shown.
std::string online_lines(const std::vector<OnlineAnswer>& answers);

// The content of a state directory.
struct StatusReport {
  std::string directory;
  std::vector<StatusEntry> entries;
  std::vector<HttpPort> listeners;
  std::optional<std::vector<OnlineAnswer>> online = {};  // nullopt: Access was not asked
};

// Returns the JSON of mayfly-status(1).
std::string status_json(const StatusReport& report, std::chrono::sys_seconds now);

// Returns {"application":...,"identity":...,"expires":...,"stored":...,"why_not_stored":...};
// identity and expires are null without a token. why_not_stored: "" if the token is stored.
std::string login_json(const Application& application, const std::optional<StoredToken>& token,
                       const std::string& why_not_stored);
// The same for a token of Managed OAuth, which does not say whose it is.
std::string login_json(const Application& application, const OauthToken& token);

// Returns {"token":...,"expires":...,"identity":...,"audience":...}, the only result in JSON that
// holds a token.
std::string token_json(const Application& application, const StoredToken& token);
// The same for a token of Managed OAuth; "header" says how it goes along.
std::string token_json(const Application& application, const OauthToken& token);

}  // namespace mayfly::cli
