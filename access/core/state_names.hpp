// The names of the files in the state directory (docs/protocol.md section 3): how each kind is
// built and recognised.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mayfly {

// Returns a file name made of a text that holds names which a server or a user chose: "/" and "*"
// become "-" (cloudflared's rule). Throws usage Error if the result is empty, begins with ".", is
// longer than 255 bytes or holds a control character.
std::string file_name(std::string_view raw);

enum class StateFile {
  app_token,          // "<place>-<audience>-token"
  org_token,          // "<team domain>-org-token"
  application,        // "<place>-app"
  key_set,            // "<team domain>-jwks"
  oauth_client,       // "<place>-oauth-client", the registration of Managed OAuth
  oauth_grant,        // "<place>-oauth-grant", the tokens of Managed OAuth
  service_team,       // "<id>-service-team", the team that a service token belongs to
  private_key,        // "<place>-cf_key"
  public_key,         // "<place>-cf_key.pub"
  certificate,        // "<place>-cf_key-cert.pub"
  agent_certificate,  // "<place>-agent-cert.pub", a copy of a certificate that the agent holds
  own_public_key,     // "<place>-own_key.pub", a copy of a key that the person has
  own_certificate,    // "<place>-own_key-cert.pub"
  lock,               // "<token, grant or private key>.lock"
  url,        // "<token, grant or private key>.url", published by the process that holds the lock
  temporary,  // ".mayfly-<random>.tmp"
};

// The end of such a name.
std::string_view suffix_of(StateFile kind);
// Returns the name of the file: file_name(stem + suffix), and for temporary files the stem between
// prefix and suffix.
std::string state_name(StateFile kind, std::string_view stem);
// Returns what stands before the suffix, or nullopt if the name is not of that kind by its end. A
// name may end like two kinds: "-org-token" is also "-token".
std::optional<std::string_view> stem_of(StateFile kind, std::string_view name);

struct StateName {
  StateFile kind;
  std::string_view stem;
};
// Returns the one kind with the longest suffix, or nullopt for files of others: hidden files that
// are not temporary files, and locks of neither a token nor a key.
std::optional<StateName> recognise(std::string_view name);

// The lock of the whole directory (state_lock.hpp).
inline constexpr const char* state_lock_name = ".mayfly-lock";
// `mayfly logout --all` leaves this mark for logins that are under way (identity/logout.hpp).
inline constexpr const char* logout_mark_of_all = ".mayfly-logout";
// The ports of mayfly http, a line for each: PORT APPLICATION.
inline constexpr const char* http_ports_name = "http-ports";

}  // namespace mayfly
