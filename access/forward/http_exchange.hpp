// One request and its answer between a local program and the edge, without waiting: the loop
// outside watches the descriptors and calls step(). Bodies pass through in pieces.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "access/forward/json_urls.hpp"
#include "access/http1/body.hpp"
#include "access/io/stream.hpp"
#include "access/pump/buffers.hpp"

namespace mayfly {

// The body of a request: where it ends, and its beginning, in case it has to be sent once more.
struct RequestBody {
  static constexpr std::size_t most_replay = std::size_t{64} * 1024;

  explicit RequestBody(const BodyFraming& framing) : scanner(framing) {}
  BodyScanner scanner;
  std::string sent;             // all that has been taken from the program,
  bool can_be_replayed = true;  // while this holds
};

class HttpExchange {
 public:
  struct Parts {
    LocalEnd& client;
    TunnelEnd& edge;
    BufferPool& buffers;
    RequestBody& body;   // what is in body.sent goes out again first
    std::string& ahead;  // read from the client, and not yet used
    // How an interim answer (1xx) looks to the client; "" leaves it out.
    std::function<std::string(const ResponseHead&)> interim;
  };
  // All of them outlive it. request: the head for the edge.
  HttpExchange(const Parts& parts, std::string request);
  ~HttpExchange();
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  enum class State {
    waiting,      // for the answer
    answered,     // head() is there; pass_on() or leave it
    passing,      // the answer on
    done,         // the answer is delivered
    edge_failed,  // before an answer; see problem()
    cut,          // after the beginning of the answer was passed on
    client_gone,
    bad_request,  // its body is malformed
  };
  State state() const noexcept { return state_; }

  struct Wants {
    bool client_readable = false, client_writable = false;
    bool edge_readable = false, edge_writable = false;
    bool at_once = false;
  };
  // Not in a final state, and not when answered.
  Wants step();
  // What the loop saw.
  void client_is(IoResult::State ready);
  void edge_is(IoResult::State ready);
  // Whether the local program has finished sending after an upgrade. It may still read.
  bool client_has_finished() const noexcept { return client_finished_; }
  // Nobody is left to read the answer, or to send the rest of the request.
  void client_has_gone();

  const ResponseHead& head() const { return *head_; }
  // The answer's head for the client, and the framing that the edge gave its body. decoded: the
  // client does not understand chunks; made: out of what ends with its connection, or is changed.
  enum class Chunks { kept, decoded, made };
  // changed: what changes in the body, if anything does; its chunks are not kept then.
  void pass_on(std::string_view text, const BodyFraming& body, Chunks chunks,
               std::optional<JsonUrls> changed = {});
  // The answer was 101: bytes both ways from now on.
  void pass_both_ways(std::string_view text);

  // The client has seen something of the answer.
  bool answer_has_begun() const noexcept { return answer_.has_value(); }
  // Something of the answer came.
  bool edge_spoke() const noexcept { return edge_spoke_; }
  bool request_is_over() const noexcept { return parts_.body.scanner.over() && up_.empty(); }
  // Another request may follow on the same connection.
  bool edge_is_clean() const;
  const std::string& problem() const noexcept { return problem_; }

 private:
  using Wait = IoResult::State;  // moved: nothing is waited for

  bool send();
  bool take_body();
  bool receive();
  IoResult read_edge(std::span<std::byte> room);
  bool deliver();
  void read_head();
  bool scan_answer(std::span<char> bytes);
  void put(std::string_view data);
  void end_body();
  void on_edge_end(const IoResult& result);
  void end(State state, std::string problem);
  void finish_when_done();

  Parts parts_;
  State state_ = State::waiting;
  std::string problem_;

  std::string up_;  // for the edge
  std::size_t up_begin_ = 0;
  ResponseReader heads_;  // of the answer
  std::string down_;      // for the client: heads, and decoded data
  std::size_t down_begin_ = 0;
  BufferPool::Buffer buffer_;  // for the client: the answer's body as it came
  std::string_view piece_;     // the rest of it
  std::optional<ResponseHead> head_;
  std::optional<BodyScanner> answer_;
  Chunks chunks_ = Chunks::kept;
  std::optional<JsonUrls> changed_;
  bool both_ways_ = false, client_finished_ = false;
  bool edge_spoke_ = false, edge_ended_ = false, edge_deaf_ = false;
  bool reusable_ = true;
  Wait client_in_ = Wait::moved, client_out_ = Wait::moved;
  Wait edge_in_ = Wait::moved, edge_out_ = Wait::moved;
};

}  // namespace mayfly
