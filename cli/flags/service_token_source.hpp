// The service token of the flags, whose secret may be rotated while a command runs.
#pragma once

#include <sys/types.h>

#include <ctime>
#include <optional>
#include <string>

#include "access/identity/service_token.hpp"
#include "cli/flags/network_flags.hpp"

namespace mayfly::cli {

class ServiceTokenSource {
 public:
  // Returns nullopt if no service token is given. Throws usage Error as service_token_of() does.
  static std::optional<ServiceTokenSource> of(const IdentityFlags& flags);

  // Returns the token, with the secret that its file holds now, if that has changed.
  const ServiceToken& current();

  // Like current(), but reads the file even if it looks unchanged: its secret was refused.
  const ServiceToken& read_again();

 private:
  // Tells a file from the one that was written or put in its place later. Only a regular file is
  // read again, since a pipe gives its bytes once.
  struct Version {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    timespec modified{}, changed{};
    bool operator==(const Version& other) const noexcept;
  };
  static std::optional<Version> version_of(const std::string& file);

  explicit ServiceTokenSource(ServiceToken token) : token_(std::move(token)) {}

  ServiceToken token_;
  std::string file_;  // "" if the secret is in no file that can be read again
  std::optional<Version> version_;
};

}  // namespace mayfly::cli
