#include "access/dial/proxy.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <map>
#include <optional>

#include "access/core/error.hpp"
#include "access/core/host_port.hpp"
#include "access/core/text.hpp"
#include "access/curl/curl_handle.hpp"
#include "access/curl/network_error.hpp"
#include "access/io/deadline.hpp"
#include "access/io/watched_descriptor.hpp"

namespace mayfly {
namespace {

using For = WatchedDescriptor::For;

// A CONNECT_ONLY transfer in a multi of its own, driven by the loop.
class ProxyTransfer : public std::enable_shared_from_this<ProxyTransfer> {
 public:
  ProxyTransfer(const asio::any_io_executor& executor, const ConnectionOptions& options,
                const Url& url);
  ~ProxyTransfer();
  ProxyTransfer(const ProxyTransfer&) = delete;
  ProxyTransfer& operator=(const ProxyTransfer&) = delete;

  void start(const std::string& proxy);
  void stop();
  asio::awaitable<std::optional<CURLcode>> result();
  CurlHandle& handle() noexcept { return handle_; }
  int descriptor() const noexcept;

 private:
  struct Watch {
    Watch(const asio::any_io_executor& executor, int fd) : descriptor(executor, fd) {}
    WatchedDescriptor descriptor;
    int wanted = 0;  // CURL_POLL_IN | CURL_POLL_OUT
    int armed = 0;
  };

  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) noexcept;
  static int on_timer(CURLM*, long milliseconds, void* self) noexcept;
  void arm(int fd, const std::shared_ptr<Watch>& watch, int side);
  void act(curl_socket_t fd, int events);

  asio::any_io_executor executor_;
  Url url_;
  CurlMulti multi_;
  CurlHandle handle_;
  asio::steady_timer timer_, finish_;
  std::map<int, std::shared_ptr<Watch>> watches_;
  std::optional<CURLcode> done_;
  bool over_ = false;
};

ProxyTransfer::ProxyTransfer(const asio::any_io_executor& executor,
                             const ConnectionOptions& options, const Url& url)
    : executor_(executor),
      url_(url),
      multi_(make_multi()),
      handle_(options, url),
      timer_(executor),
      finish_(executor) {
  finish_.expires_at(asio::steady_timer::time_point::max());
}

ProxyTransfer::~ProxyTransfer() {
  over_ = true;
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, nullptr);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, nullptr);
  watches_.clear();
  curl_multi_remove_handle(multi_.get(), handle_.get());
}

// "http", so that libcurl stops below TLS; target and request to the proxy are the same.
void ProxyTransfer::start(const std::string& proxy) {
  CURL* easy = handle_.get();
  const std::string url = fmt::format("http://{}/", host_port(url_.host, url_.port));
  set_option(easy, CURLOPT_URL, url.c_str());
  set_option(easy, CURLOPT_PROTOCOLS_STR, "http");
  set_option(easy, CURLOPT_PROXY, proxy.c_str());
  set_option(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
  set_option(easy, CURLOPT_CONNECT_ONLY, 1L);
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERDATA, this);
  if (curl_multi_add_handle(multi_.get(), easy) != CURLM_OK)
    throw Error(ErrorKind::failed, "libcurl failed: no transfer could be started");
}

void ProxyTransfer::stop() {
  over_ = true;
  timer_.cancel();
  finish_.cancel();
  for (const auto& [fd, watch] : watches_) watch->descriptor.cancel();
}

asio::awaitable<std::optional<CURLcode>> ProxyTransfer::result() {
  asio::error_code ignored;
  if (!over_) co_await finish_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  co_return done_;
}

int ProxyTransfer::descriptor() const noexcept {
  curl_socket_t fd = CURL_SOCKET_BAD;
  curl_easy_getinfo(handle_.get(), CURLINFO_ACTIVESOCKET, &fd);
  return fd;
}

int ProxyTransfer::on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) noexcept {
  auto& transfer = *static_cast<ProxyTransfer*>(self);
  try {
    if (what == CURL_POLL_REMOVE) {
      if (const auto found = transfer.watches_.find(fd); found != transfer.watches_.end()) {
        found->second->wanted = 0;
        transfer.watches_.erase(found);
      }
      return 0;
    }
    auto& watch = transfer.watches_[fd];
    if (!watch) watch = std::make_shared<Watch>(transfer.executor_, fd);
    watch->wanted = what & CURL_POLL_INOUT;
    transfer.arm(fd, watch, CURL_POLL_IN);
    transfer.arm(fd, watch, CURL_POLL_OUT);
    return 0;
  } catch (...) {
    return -1;
  }
}

int ProxyTransfer::on_timer(CURLM*, long milliseconds, void* self) noexcept {
  auto& transfer = *static_cast<ProxyTransfer*>(self);
  try {
    transfer.timer_.cancel();
    if (milliseconds < 0) return 0;
    transfer.timer_.expires_after(std::chrono::milliseconds(milliseconds));
    transfer.timer_.async_wait([shared = transfer.weak_from_this()](auto error) {
      const auto still = shared.lock();
      if (!error && still) still->act(CURL_SOCKET_TIMEOUT, 0);
    });
    return 0;
  } catch (...) {
    return -1;
  }
}

void ProxyTransfer::arm(int fd, const std::shared_ptr<Watch>& watch, int side) {
  if ((watch->wanted & side) == 0 || (watch->armed & side) != 0) return;
  watch->armed |= side;
  const bool reads = side == CURL_POLL_IN;
  watch->descriptor.wait(
      reads ? For::wait_read : For::wait_write,
      [shared = weak_from_this(), weak = std::weak_ptr(watch), fd, side, reads](auto error) {
        const auto still = shared.lock();
        const auto same = weak.lock();
        if (!still || !same) return;
        same->armed &= ~side;
        if (error || still->over_) return;
        if ((same->wanted & side) != 0) still->act(fd, reads ? CURL_CSELECT_IN : CURL_CSELECT_OUT);
        still->arm(fd, same, side);
      });
}

void ProxyTransfer::act(curl_socket_t fd, int events) {
  if (over_) return;
  int running = 0, left = 0;
  curl_multi_socket_action(multi_.get(), fd, events, &running);
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    done_ = message->data.result;
    over_ = true;
    finish_.cancel();
  }
}

// The TLS connection to an https proxy, which carries our TLS. libcurl needs the handle to stay in
// its multi.
class ProxyWire : public Wire {
 public:
  explicit ProxyWire(std::shared_ptr<ProxyTransfer> transfer) : transfer_(std::move(transfer)) {}

  IoResult read(std::span<std::byte> into, std::span<std::byte>) override {
    std::size_t bytes = 0;
    const CURLcode code = curl_easy_recv(easy(), into.data(), into.size(), &bytes);
    if (code == CURLE_OK && bytes == 0) return {.state = IoResult::State::ended};
    return result(code, bytes, IoResult::State::wait_readable);
  }

  IoResult write(std::span<const std::byte> bytes) override {
    std::size_t written = 0;
    const CURLcode code = curl_easy_send(easy(), bytes.data(), bytes.size(), &written);
    return result(code, written, IoResult::State::wait_writable);
  }

  int descriptor() const noexcept override { return transfer_->descriptor(); }

 private:
  CURL* easy() const { return transfer_->handle().get(); }

  static IoResult result(CURLcode code, std::size_t bytes, IoResult::State again) {
    if (code == CURLE_OK) return {.bytes = bytes};
    if (code == CURLE_AGAIN) return {.state = again};
    return {.state = IoResult::State::failed, .bytes = 0, .failure = curl_easy_strerror(code)};
  }

  std::shared_ptr<ProxyTransfer> transfer_;
};

std::unique_ptr<Wire> wire_of(std::shared_ptr<ProxyTransfer> transfer, const std::string& proxy) {
  if (to_lower(proxy).starts_with("https://"))
    return std::make_unique<ProxyWire>(std::move(transfer));
  // A duplicate, so that libcurl's memory is not held while the tunnel lasts.
  Descriptor socket(fcntl(transfer->descriptor(), F_DUPFD_CLOEXEC, 3));
  if (!socket) throw system_error("cannot take over the proxy's connection", errno);
  return std::make_unique<SocketWire>(std::move(socket));
}

[[noreturn]] void throw_why(const CurlHandle& handle, CURLcode code, const Url& url) {
  const Error error = network_error(handle, code, url);
  if (code == CURLE_OPERATION_TIMEDOUT) throw Error::timeout(error.message(), error.hint());
  throw error;
}

}  // namespace

asio::awaitable<std::unique_ptr<Wire>> connect_by_proxy(ConnectionOptions options, Url url,
                                                        std::string proxy, Deadline& deadline) {
  const auto transfer =
      std::make_shared<ProxyTransfer>(co_await asio::this_coro::executor, options, url);
  deadline.cancel_by([transfer] { transfer->stop(); });
  transfer->start(proxy);
  const std::optional<CURLcode> code = co_await transfer->result();
  deadline.cancel_by({});
  // There is no code if the deadline stopped the transfer.
  if (code != CURLE_OK) throw_why(transfer->handle(), code.value_or(CURLE_OPERATION_TIMEDOUT), url);
  co_return wire_of(transfer, proxy);
}

}  // namespace mayfly
