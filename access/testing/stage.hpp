// For tests: a program, the HTTP listener and an application behind it, with faults in between.
#pragma once

#include <asio/io_context.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "access/forward/edge_pool.hpp"
#include "access/forward/http_connection.hpp"
#include "access/testing/faults.hpp"
#include "access/testing/program.hpp"
#include "access/testing/tunnel.hpp"

namespace mayfly::testing {

// What a program says, over one connection. HOST in it is the listener's name, NUMBER another one
// each time.
struct Script {
  std::vector<std::string> requests;
  LocalPair (*connect)() = tcp_pair;
  bool upgrades = false;
};

struct FaultAt {
  Fault fault = Fault::reset;
  int at = 0;
};

struct Run {
  std::vector<Answer> answers;
  std::string reported;  // the error that was, if there was one
  int operations = 0, in_vain = 0;
};

class Stage {
 public:
  explicit Stage(std::function<std::string(const std::string& request)> answer);
  // Checks that no request was sent twice which must not be.
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  std::unique_ptr<EdgePool> pool() { return std::make_unique<EdgePool>(dialer_); }
  // What came to the application so far, whole or not.
  std::vector<std::string> asked();
  Run serve(const Script& script, EdgePool& pool, const FaultAt& where);

 private:
  TestServerOptions watched(std::function<std::string(const std::string&)> answer);
  void be_patient(std::chrono::milliseconds patience);
  std::vector<std::string> filled_in(const Script& script, const std::string& host);
  void run_to_end(Descriptor socket, EdgePool& pool, Fault fault, Run& run);

  std::mutex mutex_;
  std::vector<std::string> asked_;
  int number_ = 0;
  std::optional<TestServer> server_;
  ForwarderOptions options_;
  asio::io_context loop_;
  Dialer dialer_;
  BufferPool buffers_;
  Authorization authorization_;
  Authorizer authorizer_;
};

}  // namespace mayfly::testing
