// Plays a scripted WebSocket peer, byte by byte.
#include "script.hpp"

#include <array>
#include <nlohmann/json.hpp>

#include "crypto.hpp"
#include "http_io.hpp"
#include "script_frame.hpp"
#include "upgrade.hpp"

namespace edge {
namespace {

using nlohmann::json;

class Script {
 public:
  Script(TlsStream& stream, Passage& passage)
      : stream_(stream),
        passage_(passage),
        record_(std::make_shared<TunnelRecord>()),
        deadline_(stream.get_executor()) {}

  asio::awaitable<void> play();

 private:
  asio::awaitable<std::string> perform(const std::string& name, const json& value);
  asio::awaitable<std::string> expect(const json& expected);
  asio::awaitable<std::string> expect_data(const json& expected);
  asio::awaitable<std::string> expect_end(double seconds);
  asio::awaitable<void> echo();
  asio::awaitable<void> write(const std::string& payload);
  // A frame, none when the time is over or the stream has ended.
  asio::awaitable<std::optional<Received>> read_frame(double seconds);
  // The same, and nothing of it in the log.
  asio::awaitable<std::optional<Received>> read_quietly(double seconds);
  void note(const Received& received);
  void end(const std::string& how);
  void record(const std::string& failure, const json& step);

  TlsStream& stream_;
  Passage& passage_;
  std::shared_ptr<TunnelRecord> record_;
  Timer deadline_;
  std::string incoming_;
  std::string held_back_;  // the head, while it is to leave with the next write
  std::size_t pieces_ = 0;
  bool ended_ = false;
  json frames_ = json::array();
};

asio::awaitable<void> Script::play() {
  const json steps = json::parse(passage_.application->script, nullptr, false);
  record_->started = wall_time();
  passage_.entry->status = 101;
  passage_.entry->tunnel = record_;
  ++passage_.edge.stats.tunnels;
  held_back_ = upgrade_head(passage_.request, passage_.answer.fields, "");
  const bool early = steps.is_array() && !steps.empty() && steps[0].contains("early");
  std::string failure;
  if (!early) co_await write(failure);
  json failed = nullptr;
  for (std::size_t i = 0; steps.is_array() && i < steps.size() && failure.empty(); ++i) {
    for (const auto& [name, value] : steps[i].items()) failure = co_await perform(name, value);
    if (!failure.empty()) failed = i;
    record(failure, failed);
  }
  record(failure, failed);
  record_->open = false;
  record_->seconds = wall_time() - record_->started;
  if (record_->end == "open") record_->end = "close";
}

asio::awaitable<std::string> Script::perform(const std::string& name, const json& value) {
  std::string failure;
  if (name == "send") {
    const std::string bytes = unhex(value.get<std::string>());
    co_await write(bytes);
  } else if (name == "frame") {
    const std::string bytes =
        encode_in_fragments(parse_frame(value), value.value("fragment", std::size_t{0}));
    co_await write(bytes);
  } else if (name == "pieces") {
    pieces_ = value.get<std::size_t>();
  } else if (name == "wait") {
    co_await sleep(stream_.get_executor(), value.get<double>());
  } else if (name == "expect") {
    failure = co_await expect(value);
  } else if (name == "expect_data") {
    failure = co_await expect_data(value);
  } else if (name == "expect_eof") {
    failure = co_await expect_end(value.get<double>());
  } else if (name == "read") {
    const double until = wall_time() + value.get<double>();
    while (wall_time() < until && !ended_) co_await read_frame(until - wall_time());
  } else if (name == "echo") {
    co_await echo();
  } else if (name == "end") {
    end(value.get<std::string>());
  } else if (name != "early") {
    failure = "no such step: " + name;
  }
  co_return failure;
}

asio::awaitable<std::string> Script::expect(const json& expected) {
  const auto received = co_await read_frame(expected.value("within", 5.0));
  if (!received) co_return ended_ ? std::string("the stream ended") : std::string("nothing came");
  co_return compare(expected, *received);
}

// A stream has no messages: its bytes may come in any number of data frames.
asio::awaitable<std::string> Script::expect_data(const json& expected) {
  const std::string wanted = parse_payload(expected);
  const double until = wall_time() + expected.value("within", 5.0);
  std::string data;
  while (data.size() < wanted.size()) {
    const auto received = co_await read_quietly(until - wall_time());
    if (!received) co_return "only " + std::to_string(data.size()) + " bytes of data came";
    if (received->frame.opcode > 2) note(*received);
    if (received->frame.opcode > 2) continue;
    if (!received->masked || received->frame.rsv != 0) co_return "a data frame is malformed";
    if (expected.contains("opcode") && expected["opcode"] != received->frame.opcode) {
      co_return "a data frame has opcode " + std::to_string(received->frame.opcode);
    }
    data += received->frame.payload;
  }
  co_return data == wanted ? "" : "the data differs";
}

asio::awaitable<std::string> Script::expect_end(double seconds) {
  const double until = wall_time() + seconds;
  while (wall_time() < until && !ended_) co_await read_frame(until - wall_time());
  co_return ended_ ? std::string() : std::string("the stream did not end");
}

asio::awaitable<void> Script::echo() {
  while (auto received = co_await read_frame(3600)) {
    Frame reply = received->frame;
    reply.mask.clear();
    reply.rsv = 0;
    if (reply.opcode == 9) reply.opcode = 10;
    const std::string bytes = encode(reply);
    if (received->frame.opcode != 10) co_await write(bytes);
    if (reply.opcode == 8) co_return;
  }
}

asio::awaitable<void> Script::write(const std::string& payload) {
  const std::string bytes = std::exchange(held_back_, {}) + payload;
  const std::size_t step = pieces_ == 0 ? bytes.size() : pieces_;
  for (std::size_t i = 0; i < bytes.size(); i += step) {
    co_await write_all(stream_, std::string_view(bytes).substr(i, step));
  }
  record_->bytes_out += bytes.size();
}

asio::awaitable<std::optional<Received>> Script::read_frame(double seconds) {
  auto received = co_await read_quietly(seconds);
  if (received) note(*received);
  co_return received;
}

void Script::note(const Received& received) {
  const std::string& payload = received.frame.payload;
  if (received.frame.opcode == 8 && payload.size() >= 2) {
    record_->close_received =
        static_cast<unsigned char>(payload[0]) * 256 + static_cast<unsigned char>(payload[1]);
  }
  record_->pings_in += received.frame.opcode == 9;
  record_->pongs_in += received.frame.opcode == 10;
  frames_.push_back(describe(received));
  record("", nullptr);
}

asio::awaitable<std::optional<Received>> Script::read_quietly(double seconds) {
  const double until = wall_time() + seconds;
  for (;;) {
    if (auto received = take_frame(incoming_)) co_return received;
    if (wall_time() >= until || ended_) co_return std::nullopt;
    deadline_.expires_after(duration(until - wall_time()));
    deadline_.async_wait([socket = stream_.share_socket()](error_code late) {
      error_code ignored;
      if (!late) socket->cancel(ignored);
    });
    std::array<char, 16384> buffer;
    error_code error;
    const std::size_t size = co_await stream_.async_read_some(asio::buffer(buffer), into(error));
    deadline_.cancel();
    incoming_.append(buffer.data(), size);
    record_->bytes_in += size;
    if (error && error != asio::error::operation_aborted) {
      ended_ = true;
      if (record_->end == "open") record_->end = error == asio::error::eof ? "eof" : "reset";
    }
  }
}

void Script::end(const std::string& how) {
  error_code ignored;
  if (how == "reset") {
    stream_.reset();
  } else if (how == "eof") {
    stream_.socket().shutdown(Socket::shutdown_send, ignored);
  } else {
    stream_.send_close_notify();
  }
}

void Script::record(const std::string& failure, const json& step) {
  record_->script = json{
      {"ok", failure.empty()},
      {"failed_step", step},
      {"failure", failure},
      {"frames",
       frames_}}.dump();
}

}  // namespace

asio::awaitable<void> play_script(TlsStream& stream, Passage& passage) {
  Script script(stream, passage);
  co_await script.play();
}

}  // namespace edge
