// One local program's connection to the HTTP listener: request after request, each passed on to the
// edge with what opens the application.
#pragma once

#include <asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "access/forward/abort_watch.hpp"
#include "access/forward/edge_pool.hpp"
#include "access/forward/forwarder.hpp"
#include "access/forward/http_exchange.hpp"
#include "access/forward/http_request.hpp"
#include "access/forward/opening.hpp"
#include "access/io/first_ready.hpp"
#include "access/listen/admission.hpp"
#include "access/listen/authorizer.hpp"
#include "access/listen/local_stream.hpp"
#include "access/pump/buffers.hpp"
#include "access/system/descriptor.hpp"
#include "access/tunnel/open_connection.hpp"

namespace mayfly {

class HttpConnection : public OpenConnection {
 public:
  // What all connections share; outlives them.
  struct Shared {
    const ForwarderOptions& options;
    Authorizer& authorizer;
    EdgePool& pool;
    BufferPool& buffers;
    std::vector<std::string> names;  // of the listener
    const LocalPeers* peers = nullptr;
  };
  // guest: its place; the default has no limits.
  HttpConnection(const asio::any_io_executor& executor, const Shared& shared, Descriptor socket,
                 std::shared_ptr<Admission::Guest> guest = std::make_shared<Admission::Guest>());

  // Until one side wants no more. Throws Error for what is to be reported.
  asio::awaitable<void> run();
  // The request under way is still answered.
  void interrupt() override;

 private:
  // What became of a request.
  struct Outcome {
    enum class What {
      answered,
      gone,     // there is nobody to answer
      login,    // other headers may open the application; page says why these did not
      stale,    // the kept connection had ended
      part,     // the answer is a part of a JSON text; the whole is to be asked for
      refused,  // page says why
      cut,      // in the middle of the answer
    } what = What::answered;
    Page page = {};
  };

  asio::awaitable<std::optional<std::string>> read_head();
  void wait_for_head();
  bool hold(const std::string& head, const AskedRequest& asked);
  asio::awaitable<void> serve(AskedRequest& asked);
  asio::awaitable<Outcome> forward(AskedRequest& asked);
  asio::awaitable<std::optional<Opening>> open(std::optional<Headers> refused);
  asio::awaitable<Outcome> attempt(AskedRequest& asked, const Headers& opening,
                                   EdgePool::Which which);
  asio::awaitable<Outcome> exchange(AskedRequest& asked, EdgeConnection& edge,
                                    HttpExchange& exchange, const Headers& opening);
  enum class Patience { left, over };
  std::chrono::milliseconds patience_for(const HttpExchange& exchange) const;
  asio::awaitable<Patience> settle(HttpExchange& exchange, EdgeConnection& edge, FirstReady& ready);
  Outcome outcome_of(const HttpExchange& exchange, const AskedRequest& asked,
                     const EdgeConnection& edge, Patience patience);
  std::optional<Outcome> decide(HttpExchange& exchange, AskedRequest& asked,
                                const Headers& opening);
  std::optional<Outcome> judge_login(const ResponseHead& head, const AskedRequest& asked,
                                     const Headers& opening);
  std::optional<Outcome> pass_on(HttpExchange& exchange, AskedRequest& asked);
  asio::awaitable<void> say(Page page);

  asio::any_io_executor executor_;
  const Shared& shared_;
  std::shared_ptr<Admission::Guest> guest_;
  Descriptor socket_;
  LocalPlace place_;
  LocalStream stream_;
  AbortWatch program_;
  std::string ahead_;            // read, and not yet used
  FirstReady* ready_ = nullptr;  // while an exchange waits
  enum class Next { request, goodbye } next_ = Next::request;
  bool idle_ = false;
  bool served_ = false;   // a request
  bool renewed_ = false;  // the headers, for this request
  bool upgraded_ = false;
  bool interrupted_ = false;
};

}  // namespace mayfly
