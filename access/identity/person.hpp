// Asks Access who the person of a token is, and ends that person's sessions (docs/protocol.md
// section 6).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "access/core/secret.hpp"
#include "access/core/url.hpp"
#include "access/curl/http.hpp"

namespace mayfly {

// A token and the server that it may go to: the application's own host for an app token, the team
// domain for an org token.
struct PersonToken {
  Url at;  // its path and query do not count
  const Secret& token;
  std::function<void()> before_sending = {};  // as Request::before_sending
};

// A person as Access knows them. All texts are fit to be shown; "" if Access does not say.
struct Person {
  std::string email, name;
  std::string provider;  // the identity provider's type: "okta", "onetimepin"
  std::string machine;   // the name of a service token or client certificate in place of a person
  std::vector<std::string> groups;
  struct Posture {
    std::string rule;  // the name or type of the device posture rule
    bool passed = false;
  };
  std::vector<Posture> posture;

  // Returns "jdoe@example.com (Jane Doe), by okta, in the groups a and b; device posture: disk
  // passed, firewall failed".
  std::string text() const;
};

// Sends the token to /cdn-cgi/access/get-identity. Returns nullopt if the session has ended: Access
// does not know the token. Throws Error(network) or Error(protocol).
std::optional<Person> ask_person(const Send& send, const PersonToken& token);

// Reads the JSON of get-identity. Returns nullopt if it is no such JSON.
std::optional<Person> read_person(std::string_view json);

// Sends the token to /cdn-cgi/access/logout, which ends all sessions of the person in the team
// within half a minute. Throws Error(network), or Error(refused) if the answer is no success.
void end_sessions(const Send& send, const PersonToken& token);

}  // namespace mayfly
