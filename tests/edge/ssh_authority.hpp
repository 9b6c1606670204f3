// The SSH CA: short-lived user certificates, made by the real ssh-keygen.
#pragma once

#include <string>
#include <vector>

namespace edge {

struct SshRequest {
  std::string public_key;  // authorized_keys line
  std::string id;
  std::vector<std::string> principals;
  long from = -60;  // seconds from now
  long until = 240;
  bool host = false;
  std::string critical_option;  // "name@domain=value"; "" for none
};

class SshAuthority {
 public:
  // Reads `directory`/ssh_ca, or has ssh-keygen make it.
  explicit SshAuthority(std::string directory);

  // The certificate line, without a newline; "" when ssh-keygen refuses the key.
  std::string sign(const SshRequest& request, long now);
  // An authorized_keys line of a key nobody asked about.
  std::string foreign_key();

 private:
  std::string directory_;
  unsigned long serial_ = 0;
};

}  // namespace edge
