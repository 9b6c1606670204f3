// The transfer service: sealed tokens waiting for the one who holds the private key.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "faults.hpp"
#include "message.hpp"

namespace edge {

class Transfer {
 public:
  // Seals `plain` to `public_key` (base64url of 32 bytes) and wakes whoever waits for it.
  // `flaw` may spoil it. False when that is no key.
  bool deliver(const std::string& public_key, const std::string& plain,
               const std::optional<Fault>& flaw);
  // What was delivered, once.
  std::optional<Response> fetch(const std::string& public_key);

  // `wake` is called when something is delivered; give the ticket back with leave().
  using Ticket = std::list<std::pair<std::string, std::function<void()>>>::iterator;
  Ticket wait(const std::string& public_key, std::function<void()> wake);
  void leave(Ticket ticket) { waiting_.erase(ticket); }
  std::vector<std::string> pending() const;
  void clear() { ready_.clear(); }

 private:
  std::map<std::string, Response> ready_;
  std::list<std::pair<std::string, std::function<void()>>> waiting_;
};

}  // namespace edge
