// Finds the application of a URL by its signed metadata (docs/protocol.md section 1).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "access/core/url.hpp"
#include "access/curl/http.hpp"
#include "access/system/files.hpp"

namespace mayfly {

struct Application {
  std::string auth_domain;  // "<team>.cloudflareaccess.com"
  std::string audience;
  std::string hostname;  // as defined in Access; may hold "*"
  bool operator==(const Application&) const = default;
};

// Returns the lower-cased host of "https://<claim>" if it ends in ".cloudflareaccess.com", without
// user info, port, path, query and fragment. Returns nullopt otherwise, and if the claim has
// blanks, backslashes or control characters.
std::optional<std::string> auth_domain_host(std::string_view claim);

// Returns the claim "iss" of a team's tokens, and the team domain in such a claim.
std::string issuer_of(std::string_view auth_domain);
std::string team_of(std::string_view issuer);

// The edge's answer to the question for the metadata, and the verified application in it. Without
// an application, no_application() (access/answer/refusal.hpp) says why.
struct Found {
  Response answer;
  std::optional<Application> application = {};
};

// Asks the edge and the team, and verifies. Neither uses nor writes records. Throws Error(network)
// or Error(protocol).
Found ask_application(const Send& send, const Url& url, std::chrono::sys_seconds now);

// Its functions throw Error(usage) for a URL whose path may be one of Access.
class ApplicationFinder {
 public:
  enum class Remembering { allowed, never };
  ApplicationFinder(const StateDirectory& state, const Send& send,
                    Remembering remembering = Remembering::allowed)
      : state_(state), send_(send), remembering_(remembering) {}

  // Returns the application of the record "<place>-app" (place.hpp) if it passes every check of
  // docs/protocol.md section 1 with the cached keys, also that of its age and of theirs. Otherwise
  // find() has to ask before a credential is sent. Uses no network.
  std::optional<Application> known(const Url& url, std::chrono::sys_seconds now) const;

  // Like known(), but with a record and keys of any age, for commands that send no credential.
  std::optional<Application> recall(const Url& url) const;

  // Asks the edge and verifies. If remembering is allowed, it stores metadata and keys, as far as
  // files can be written, and removes records of the URL that the answer supersedes. Throws
  // Error(network) or Error(protocol), and changes no file then.
  Found find(const Url& url, std::chrono::sys_seconds now) const;

 private:
  struct Record {
    Application application;
    std::optional<std::int64_t> issued;  // claim "iat"
    std::chrono::system_clock::time_point keys_fetched;
  };
  std::optional<Record> record_of(const Url& url) const;
  std::optional<Record> record_at(const std::string& place, const Url& url) const;
  void remember(const Url& url, const Application& application, const std::string& text) const;

  const StateDirectory& state_;
  const Send& send_;
  Remembering remembering_;
};

}  // namespace mayfly
