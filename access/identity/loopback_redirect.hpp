// Receives the redirect of a login in the browser on this computer (RFC 8252 section 7.3).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/system/descriptor.hpp"
#include "access/system/local_peers.hpp"

namespace mayfly {

// The parameters of a redirect, none of which comes twice.
using RedirectParameters = std::map<std::string, std::string>;

// Reads a request that the browser was redirected with: GET, this path, this Host, no parameter
// twice, and the expected state. Returns nullopt for any other request, which anybody may send.
struct ExpectedRedirect {
  std::string host;  // "127.0.0.1:40123"
  std::string path;
  std::string state;
};
std::optional<RedirectParameters> read_redirect(std::string_view head,
                                                const ExpectedRedirect& expected);

// Returns whether the redirect of this visitor counts: of the same user, or of root, who may do
// anything, and relays the connections of a browser outside a virtual machine. Another user could
// read the address of the login in the list of processes, log in as himself, and let mayfly work
// with his token.
bool may_redirect(const PeerSocket& visitor);

// Listens on a free port of 127.0.0.1 while it lives.
class LoopbackRedirect {
 public:
  // Throws Error(failed).
  LoopbackRedirect();
  // Returns "http://127.0.0.1:PORT" + path.
  std::string uri(std::string_view path) const;
  std::string host() const;

  // Waits for the redirect with this state at this path, shows the person a page, and answers all
  // other requests with 404. Hangs up on other users of this computer. Calls waiting(left) about
  // once a second. Throws Error(login_needed) when patience ends or if interrupted.
  RedirectParameters wait(std::string_view path, std::string_view state,
                          std::chrono::seconds patience,
                          const std::function<void(std::chrono::seconds left)>& waiting);

 private:
  struct Visitor {
    Descriptor socket;
    std::string received = {};
  };
  void accept_visitors();
  std::optional<RedirectParameters> hear(Visitor& visitor, const ExpectedRedirect& expected);

  Descriptor listening_;
  std::uint16_t port_ = 0;
  LocalPeers peers_;
  // Learnt once: of a single visitor, a kernel that does not tell cannot be told from a visitor who
  // has reset the connection meanwhile.
  bool tells_visitors_ = peers_.tells_of_connections();
  std::vector<Visitor> visitors_;
};

}  // namespace mayfly
