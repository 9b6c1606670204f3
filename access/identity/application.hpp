// Which application is this? Signed metadata, verified (docs/protocol.md section 1).
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

// auth_domain claim -> the lower-cased host of "https://<claim>" when that ends in
// ".cloudflareaccess.com"; user info, port, path, query and fragment are dropped. Nothing
// otherwise, and for blanks, backslashes and control characters.
std::optional<std::string> auth_domain_host(std::string_view claim);

// Of all tokens of a team: their claim "iss".
std::string issuer_of(std::string_view auth_domain);

// Asks the edge and the team, and verifies; nothing is remembered, nor used of what is. Nothing
// when there is no Access application. Throws Error(network) or Error(protocol).
std::optional<Application> ask_application(const Send& send, const Url& url,
                                           std::chrono::sys_seconds now);

// Send, with the answer to the question for the metadata kept in `first`. Both must outlive it.
Send noting_first_answer(const Send& send, Response& first);

// All that it is asked about a URL throws Error(usage) if the path may be one of Access.
class ApplicationFinder {
 public:
  enum class Remembering { allowed, never };
  ApplicationFinder(const StateDirectory& state, const Send& send,
                    Remembering remembering = Remembering::allowed)
      : state_(state), send_(send), remembering_(remembering) {}

  // Returns the application of the young record "<place>-app" (place.hpp): it passes every check of
  // docs/protocol.md section 1 against the cached keys, its age and theirs included. Returns
  // nullopt when there is no such record, or when it is too old: find() has to ask before a
  // credential is sent. Uses no network.
  std::optional<Application> known(const Url& url, std::chrono::sys_seconds now) const;

  // Returns the application of the record whatever its age and that of the keys, for commands that
  // send no credential. Returns nullopt when there is no record that passes the other checks. Uses
  // no network.
  std::optional<Application> recall(const Url& url) const;

  // Asks the edge, verifies, remembers metadata and keys if that is allowed (in files; one that
  // cannot be written is done without), and removes records of the URL that the answer has
  // superseded. Returns nullopt when there is no Access application. Throws Error(network) or
  // Error(protocol), and changes no file then.
  std::optional<Application> find(const Url& url, std::chrono::sys_seconds now) const;

 private:
  struct Record {
    Application application;
    std::optional<std::int64_t> issued;  // claim "iat"
    std::chrono::system_clock::time_point keys_fetched;
  };
  std::optional<Record> record_of(const Url& url) const;
  std::optional<Record> record_at(const std::string& place, const Url& url) const;
  void remember(const Url& url, const Application& application, const std::string& text) const;
  Application verified(const Url& url, const std::string& text, std::chrono::sys_seconds now) const;

  const StateDirectory& state_;
  const Send& send_;
  Remembering remembering_;
};

}  // namespace mayfly
