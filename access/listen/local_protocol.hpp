// What a local connection says before its bytes go through a tunnel; a plain listener has none.
#pragma once

#include <asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "access/core/error.hpp"
#include "access/curl/http.hpp"
#include "access/listen/admission.hpp"

namespace mayfly {

class LocalProtocol {
 public:
  virtual ~LocalProtocol() = default;

  struct Wish {
    std::string name;  // for messages; printable
    Headers headers;   // that tell the edge
  };
  // While it listens, the guest is half-open. Nothing when the connection ended without a word.
  // Throws Error for what is none of this protocol, after the other side was told.
  virtual asio::awaitable<std::optional<Wish>> hear(int socket, Admission::Guest& guest) = 0;
  // The tunnel is open.
  virtual asio::awaitable<void> grant(int socket) = 0;

  struct Refusal {
    Error error;
    int status = 0;  // of the edge's answer; 0 if there was none
  };
  virtual asio::awaitable<void> deny(int socket, const Refusal& refusal) = 0;
};

}  // namespace mayfly
