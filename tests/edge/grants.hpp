// The state of Managed OAuth: clients, authorization requests, codes, grants and their tokens.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace edge {

struct OauthClient {
  std::string id;
  std::string team;
  std::string name;
  std::string application;  // "" when the registration named no resource
  std::vector<std::string> redirect_uris;
  std::vector<std::string> grant_types;
};

// An authorization request that was checked and waits for the person.
struct OauthRequest {
  std::string client;
  std::string redirect_uri;  // with the port that is meant
  std::string state;
  std::string challenge;  // PKCE, S256
  std::string application;
  std::string resource;  // as it is answered
  std::string issuer;
};

struct OauthLifetimes {
  long code = 60;           // seconds
  long access_token = 900;  // seconds
  long session = 1209600;   // seconds from the login
};

// The result of a token request. If `error` (RFC 6749 section 5.2) is not empty, there are no
// tokens.
struct OauthIssue {
  std::string error;
  std::string description;
  std::string access_token;
  std::string refresh_token;
  std::string resource;
};

struct CodeExchange {
  std::string client;
  std::string code;
  std::string redirect_uri;
  std::string verifier;
};

class Grants {
 public:
  std::string add_client(OauthClient client);
  const OauthClient* find_client(const std::string& id) const;

  std::string add_request(OauthRequest request);
  const OauthRequest* find_request(const std::string& id) const;
  void drop_request(const std::string& id) { requests_.erase(id); }

  // Ends the request and returns a code for this person.
  std::string issue_code(const std::string& request_id, const std::string& email, long expires);

  // Exchanges a code, which works once. A second use ends the grant (RFC 6749 section 4.1.2).
  OauthIssue exchange_code(const CodeExchange& exchange, const OauthLifetimes& lifetimes, long now);
  // Refreshes a grant. A refresh token works once; a second use ends the grant (RFC 9700 section
  // 4.14.2).
  OauthIssue refresh(const std::string& client, const std::string& token,
                     const OauthLifetimes& lifetimes, long now);

  // The application and the person that a code or a refresh token stands for.
  struct Subject {
    std::string application;
    std::string email;
  };
  std::optional<Subject> subject_of_code(const std::string& code) const;
  std::optional<Subject> subject_of_refresh(const std::string& token) const;

  // Returns the email address of the person, or nullopt if the access token does not open the
  // application.
  std::optional<std::string> email_of(const std::string& access_token,
                                      const std::string& application, long now) const;

  // Revokes a token (RFC 7009); a refresh token ends its grant. Returns false if the token is not
  // this client's.
  bool revoke(const std::string& client, const std::string& token);

  struct Filter {
    std::string application;  // "": all
    std::string email;        // "": all
  };
  std::size_t end(const Filter& filter, const std::string& reason);
  std::size_t expire_access_tokens(const Filter& filter);
  void forget_clients() { clients_.clear(); }
  void clear();

  nlohmann::json describe() const;

 private:
  struct Grant {
    std::string client;
    Subject subject;
    std::string resource;
    long expires = 0;
    std::string refresh_token;
    std::set<std::string> used;  // refresh tokens of before
    std::string ended;           // why; "" while it is alive
  };
  struct Code {
    OauthRequest request;
    std::string email;
    long expires = 0;
    std::size_t grant = 0;  // 1 more than the index of what it began; 0: not used yet
  };
  struct AccessToken {
    std::size_t grant = 0;
    long expires = 0;
  };

  OauthIssue issue(std::size_t index, const OauthLifetimes& lifetimes, long now);
  bool matches(const Grant& grant, const Filter& filter) const;

  std::map<std::string, OauthClient> clients_;
  std::map<std::string, OauthRequest> requests_;
  std::map<std::string, Code> codes_;
  std::vector<Grant> grants_;
  std::map<std::string, std::size_t> refresh_tokens_;  // to the index of their grant
  std::map<std::string, AccessToken> access_tokens_;
};

}  // namespace edge
