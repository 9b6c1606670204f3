// A WebSocket and what its application does with it.
#include "tunnel.hpp"

#include <algorithm>
#include <boost/asio/write.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <memory>

#include "http_io.hpp"
#include "misbehaviour.hpp"
#include "origin.hpp"
#include "pages.hpp"
#include "script.hpp"
#include "upgrade.hpp"

namespace edge {
namespace {

namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;

// Memory that is only touched, and so only resident, where bytes really pass.
struct Buffer {
  explicit Buffer(std::size_t count)
      : data(std::make_unique_for_overwrite<char[]>(count)), size(count) {}
  asio::mutable_buffer all() const { return {data.get(), size}; }
  std::unique_ptr<char[]> data;
  std::size_t size;
};

class Tunnel : public std::enable_shared_from_this<Tunnel> {
 public:
  Tunnel(const TlsStream& stream, Passage& passage, std::shared_ptr<Socket> origin)
      : edge_(passage.edge),
        application_(passage.application),
        entry_(passage.entry),
        record_(std::make_shared<TunnelRecord>()),
        ws_(stream),
        origin_(std::move(origin)),
        host_(passage.request.host),
        settled_(ws_.get_executor()) {}

  asio::awaitable<bool> accept(const Passage& passage);
  asio::awaitable<void> run();

 private:
  using Task = asio::awaitable<void> (Tunnel::*)();

  const Application& application() const { return *application_; }
  TlsStream& stream() { return ws_.next_layer(); }
  void spawn(Task task);

  asio::awaitable<void> echo();
  asio::awaitable<void> discard();
  asio::awaitable<void> to_origin();
  asio::awaitable<void> from_origin();
  asio::awaitable<void> from_source();
  asio::awaitable<void> ping();

  asio::awaitable<std::size_t> receive(const Buffer& buffer);
  asio::awaitable<bool> send(asio::const_buffer bytes, bool fin);
  asio::awaitable<void> send_part(asio::const_buffer bytes, bool fin);
  asio::awaitable<void> misbehave();
  asio::awaitable<void> close(Closing closing);  // give it a named value, see asio.hpp
  asio::awaitable<void> sit_out();
  void note_end();

  Edge& edge_;
  ApplicationPointer application_;
  std::shared_ptr<Entry> entry_;
  std::shared_ptr<TunnelRecord> record_;
  websocket::stream<TlsStream, false> ws_;
  std::shared_ptr<Socket> origin_;  // null unless bytes go somewhere
  std::string host_;
  std::optional<Fault> fault_;
  bool silent_ = false;  // sends nothing any more
  bool deaf_ = false;    // reads nothing any more
  bool closing_ = false;
  bool closed_ = false;  // the Close that closing_ announces has been answered or given up
  Timer settled_;
  error_code error_;  // why receiving ended
};

http::request<http::empty_body> handshake_request(const Request& request) {
  http::request<http::empty_body> message;
  message.version(11);
  message.method_string(request.method);
  message.target(request.target);
  for (const Field& field : request.fields) message.insert(field.name, field.value);
  return message;
}

asio::awaitable<bool> Tunnel::accept(const Passage& passage) {
  ws_.read_message_max(0);
  ws_.auto_fragment(false);
  ws_.binary(!application().websocket.text);
  ws_.set_option(websocket::stream_base::decorator([&](websocket::response_type& response) {
    for (const Field& field : passage.answer.fields) response.insert(field.name, field.value);
  }));
  ws_.control_callback([this](websocket::frame_type kind, boost::beast::string_view) {
    if (kind == websocket::frame_type::ping) ++record_->pings_in;
    if (kind == websocket::frame_type::pong) ++record_->pongs_in;
  });
  const auto request = handshake_request(passage.request);
  error_code error;
  co_await ws_.async_accept(request, into(error));
  entry_->status = error ? 400 : 101;
  if (!error) entry_->tunnel = record_;
  co_return !error;
}

asio::awaitable<void> Tunnel::run() {
  const auto self = shared_from_this();
  const std::uint64_t id = edge_.next_tunnel++;
  ++edge_.stats.tunnels;
  ++edge_.stats.open_tunnels;
  record_->started = wall_time();
  edge_.tunnels[id] = {application().name, host_, record_, [self](const Closing& closing) {
                         asio::co_spawn(
                             self->ws_.get_executor(),
                             [self, closing] { return self->close(closing); }, asio::detached);
                       }};
  fault_ = edge_.faults.take_area(application().name, "tunnel");
  if (fault_) entry_->faults.push_back(fault_->name);
  if (fault_ && fault_->bytes == 0) co_await misbehave();
  if (application().websocket.ping_interval > 0) spawn(&Tunnel::ping);
  if (application().origin.kind == OriginKind::echo) {
    co_await echo();
  } else if (origin_) {
    spawn(&Tunnel::from_origin);
    co_await to_origin();
  } else {
    if (application().origin.kind == OriginKind::source) spawn(&Tunnel::from_source);
    co_await discard();
  }
  if (closing_ && !closed_) {  // a Close of ours is under way: its outcome counts
    settled_.expires_after(std::chrono::seconds(15));
    error_code ignored;
    co_await settled_.async_wait(into(ignored));
  }
  note_end();
  edge_.tunnels.erase(id);
  --edge_.stats.open_tunnels;
  error_code ignored;
  if (origin_) origin_->close(ignored);
}

void Tunnel::spawn(Task task) {
  asio::co_spawn(
      ws_.get_executor(),
      [self = shared_from_this(), task]() -> asio::awaitable<void> { co_await ((*self).*task)(); },
      asio::detached);
}

asio::awaitable<void> Tunnel::echo() {
  const Buffer buffer(application().websocket.buffer);
  bool first = true;
  for (;;) {
    const std::size_t size = co_await receive(buffer);
    if (error_) co_return;
    const bool done = ws_.is_message_done();
    if (first) ws_.text(ws_.got_text());
    first = done;
    if (!co_await send({buffer.data.get(), size}, done)) co_return co_await discard();
  }
}

asio::awaitable<void> Tunnel::discard() {
  const Buffer buffer(application().websocket.buffer);
  while (!error_) co_await receive(buffer);
}

asio::awaitable<void> Tunnel::to_origin() {
  const Buffer buffer(application().websocket.buffer);
  for (;;) {
    const std::size_t size = co_await receive(buffer);
    if (error_) co_return;
    error_code error;
    co_await asio::async_write(*origin_, asio::buffer(buffer.data.get(), size), into(error));
    if (error) co_return co_await discard();  // from_origin() sees the end too, and says Close
  }
}

asio::awaitable<void> Tunnel::from_origin() {
  const Buffer buffer(application().websocket.buffer);
  const WebsocketOptions& options = application().websocket;
  for (;;) {
    error_code error;
    const std::size_t size = co_await origin_->async_read_some(buffer.all(), into(error));
    if (error) break;
    if (!co_await send({buffer.data.get(), size}, true)) co_return;
  }
  const Closing closing{Ending::close, options.close_code, options.close_reason};
  co_await close(closing);
}

asio::awaitable<void> Tunnel::from_source() {
  constexpr std::size_t period = 251;
  const WebsocketOptions& options = application().websocket;
  const std::string bytes = pattern(options.buffer + period);
  const std::uint64_t total = application().origin.bytes;
  for (std::uint64_t sent = 0; sent < total;) {
    const std::size_t size =
        static_cast<std::size_t>(std::min<std::uint64_t>(options.buffer, total - sent));
    if (!co_await send({bytes.data() + sent % period, size}, true)) co_return;
    sent += size;
  }
  const Closing closing{Ending::close, options.close_code, options.close_reason};
  co_await close(closing);
}

asio::awaitable<void> Tunnel::ping() {
  while (record_->open && !silent_ && !closing_) {
    co_await sleep(ws_.get_executor(), application().websocket.ping_interval);
    if (!record_->open || silent_ || closing_) co_return;
    error_code error;
    const websocket::ping_data nothing;
    co_await ws_.async_ping(nothing, into(error));
    if (error) co_return;
  }
}

// Reads what there is; 0 bytes may come from an empty frame. The end is in error_.
asio::awaitable<std::size_t> Tunnel::receive(const Buffer& buffer) {
  if (deaf_) co_await sit_out();
  if (error_) co_return 0;
  const std::size_t size = co_await ws_.async_read_some(buffer.all(), into(error_));
  if (deaf_ && error_ == asio::error::operation_aborted) co_await sit_out();
  record_->bytes_in += size;
  edge_.stats.bytes_in += size;
  if (!error_ && ws_.is_message_done()) ++record_->messages_in;
  co_return size;
}

// False when nothing can be sent any more.
asio::awaitable<bool> Tunnel::send(asio::const_buffer bytes, bool fin) {
  if (fault_ && record_->bytes_out + bytes.size() >= fault_->bytes && !silent_) {
    const std::size_t before = static_cast<std::size_t>(fault_->bytes - record_->bytes_out);
    if (before > 0) co_await send_part({bytes.data(), before}, fin && before == bytes.size());
    bytes += before;
    co_await misbehave();
    if (bytes.size() == 0) co_return !silent_;
  }
  if (silent_ || closing_) co_return false;
  co_await send_part(bytes, fin);
  co_return !silent_;
}

asio::awaitable<void> Tunnel::send_part(asio::const_buffer bytes, bool fin) {
  error_code error;
  co_await ws_.async_write_some(fin, bytes, into(error));
  if (error) {
    silent_ = true;
    co_return;
  }
  record_->bytes_out += bytes.size();
  edge_.stats.bytes_out += bytes.size();
  if (fin) ++record_->messages_out;
}

asio::awaitable<void> Tunnel::misbehave() {
  const Fault fault = std::move(*fault_);
  fault_.reset();
  const std::string name = fault.name.substr(fault.name.find('.') + 1);
  const std::string raw = raw_frames(name);
  if (!raw.empty()) {
    silent_ = name != "ping_flood";
    co_await write_all(stream(), raw);
  } else if (name == "close") {
    const int code = fault.code == 0 ? 1011 : fault.code;
    asio::co_spawn(
        ws_.get_executor(),
        [self = shared_from_this(), code, reason = fault.value] {
          return self->close({Ending::close, code, reason});
        },
        asio::detached);
    closing_ = true;
  } else if (name == "no_pong") {
    deaf_ = true;
  } else if (name == "half_close") {
    silent_ = true;
    stream().send_close_notify();
  } else {
    const Ending how = name == "eof"     ? Ending::eof
                       : name == "reset" ? Ending::reset
                                         : Ending::stall;
    const Closing closing{how, 0, ""};
    co_await close(closing);
  }
}

asio::awaitable<void> Tunnel::close(Closing closing) {
  const auto self = shared_from_this();
  error_code ignored;
  if (closing.how == Ending::reset) {
    silent_ = true;
    record_->end = "reset by the edge";
    stream().reset();
  } else if (closing.how == Ending::eof) {
    silent_ = true;
    stream().socket().shutdown(Socket::shutdown_send, ignored);
  } else if (closing.how == Ending::stall) {
    silent_ = deaf_ = true;
    stream().socket().cancel(ignored);  // a read that waits would go on answering pings
  } else if (record_->close_sent == 0 && record_->open && !silent_) {
    closing_ = true;
    record_->close_sent = closing.code;
    // A peer that never answers the Close is cut off.
    Timer deadline(ws_.get_executor());
    deadline.expires_after(std::chrono::seconds(10));
    deadline.async_wait([self](error_code error) {
      if (error) return;
      self->record_->end = "reset by the edge";
      self->stream().reset();
    });
    const websocket::close_reason reason(static_cast<websocket::close_code>(closing.code),
                                         closing.reason.c_str());
    co_await ws_.async_close(reason, into(ignored));
    closed_ = true;
    settled_.cancel();
  }
}

asio::awaitable<void> Tunnel::sit_out() {
  co_await wait_until_gone(stream());
  error_ = asio::error::eof;
}

void Tunnel::note_end() {
  record_->open = false;
  record_->seconds = wall_time() - record_->started;
  const websocket::close_reason reason = ws_.reason();
  record_->close_received = reason.code;
  record_->close_reason = std::string(reason.reason.data(), reason.reason.size());
  if (record_->end != "open") return;
  if (error_ == websocket::error::closed || reason.code != 0) {
    record_->end = "close";
    if (record_->close_sent == 0) record_->close_sent = reason.code;
  } else if (error_ == asio::error::eof) {
    record_->end = "eof";
  } else if (error_ == asio::error::connection_reset) {
    record_->end = "reset";
  } else {
    record_->end = "error: " + error_.message();
  }
}

}  // namespace

asio::awaitable<void> tunnel(TlsStream& stream, Passage& passage) {
  if (passage.answer.flaw) co_return co_await spoil_upgrade(stream, passage);
  if (passage.application->origin.kind == OriginKind::script) {
    co_return co_await play_script(stream, passage);
  }
  std::optional<Destination> destination;
  if (auto refusal = choose_destination(passage, destination)) {
    co_return co_await answer_instead(stream, passage, *refusal);
  }
  std::shared_ptr<Socket> origin;
  if (destination) {
    origin = std::make_shared<Socket>(stream.get_executor());
    if (!co_await connect(*origin, destination->host, destination->port)) {
      const Response down = error_page(502, 502, passage.ray);
      co_return co_await answer_instead(stream, passage, down);
    }
  }
  const auto tunnel = std::make_shared<Tunnel>(stream, passage, origin);
  if (co_await tunnel->accept(passage)) co_await tunnel->run();
}

}  // namespace edge
