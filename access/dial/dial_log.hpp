// The story of a connection, step by step, for -v.
#pragma once

#include <asio/ip/tcp.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "access/curl/http.hpp"
#include "access/tls/tls.hpp"

namespace mayfly {

// Each step tells how long it took, since the one before. Costs nothing when nobody listens.
class DialLog {
 public:
  void looked_up(const std::string& host, const std::vector<asio::ip::tcp::endpoint>& found);
  enum class Way { direct, proxy };
  void connected(int socket, Way way);
  void secured(const TlsStream& stream);
  void answered(const Response& response);

 private:
  std::string took();

  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

}  // namespace mayfly
