#include "access/curl/http.hpp"

#include <fmt/format.h>

#include <exception>
#include <map>

#include "access/core/edge_clock.hpp"
#include "access/core/error.hpp"
#include "access/core/log.hpp"
#include "access/core/text.hpp"
#include "access/curl/curl_handle.hpp"
#include "access/curl/network_error.hpp"
#include "access/http1/head.hpp"
#include "access/system/interrupt.hpp"

namespace mayfly {
namespace {

constexpr std::size_t max_header_bytes = std::size_t{64} * 1024;

// Collects the answer from libcurl's callbacks, within limits that libcurl does not have.
struct Arrival {
  std::size_t max_body;
  std::string body;
  std::size_t header_bytes = 0;
  enum class Excess { none, headers, body } excess = Excess::none;

  static std::size_t on_body(char* bytes, std::size_t, std::size_t size, void* self) noexcept {
    auto& arrival = *static_cast<Arrival*>(self);
    if (size > arrival.max_body - arrival.body.size()) {
      arrival.excess = Excess::body;
      return CURL_WRITEFUNC_ERROR;
    }
    try {
      arrival.body.append(bytes, size);
    } catch (...) {
      return CURL_WRITEFUNC_ERROR;
    }
    return size;
  }

  static std::size_t on_header(char*, std::size_t, std::size_t size, void* self) noexcept {
    auto& arrival = *static_cast<Arrival*>(self);
    arrival.header_bytes += size;
    if (arrival.header_bytes <= max_header_bytes) return size;
    arrival.excess = Excess::headers;
    return CURL_WRITEFUNC_ERROR;
  }
};

// Asks Request::before_sending whether the request may go out.
struct Departure {
  const Request& request;
  std::exception_ptr objection = {};

  static int on_ready(void* self, char*, char*, int, int) noexcept {
    auto& departure = *static_cast<Departure*>(self);
    try {
      if (departure.request.before_sending) departure.request.before_sending();
      return CURL_PREREQFUNC_OK;
    } catch (...) {
      departure.objection = std::current_exception();
      return CURL_PREREQFUNC_ABORT;
    }
  }
};

CurlList header_list(const Request& request) {
  CurlList list;
  for (const Header& header : request.headers) append(list, header_line(header));
  // libcurl would otherwise wait for "100 Continue" before larger bodies.
  if (request.method == Request::Method::post) append(list, "Expect:");
  return list;
}

void set_method(CURL* easy, const Request& request) {
  set_option(easy, CURLOPT_HTTPGET, 1L);
  if (request.method == Request::Method::head) set_option(easy, CURLOPT_NOBODY, 1L);
  if (request.method == Request::Method::post) {
    set_option(easy, CURLOPT_POST, 1L);
    set_option(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set_option(easy, CURLOPT_POSTFIELDS, request.body.data());
  }
}

// Keeps a handle in a multi during one request.
class Attached {
 public:
  Attached(CURLM* multi, CURL* easy) : multi_(multi), easy_(easy) {
    check(curl_multi_add_handle(multi, easy));
  }
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;
  ~Attached() { curl_multi_remove_handle(multi_, easy_); }

  static void check(CURLMcode code) {
    if (code == CURLM_OK) return;
    throw Error(ErrorKind::failed, fmt::format("libcurl failed: {}", curl_multi_strerror(code)));
  }

 private:
  CURLM* multi_;
  CURL* easy_;
};

void stop_when_interrupted() {
  if (interrupted_by() != 0) throw Error(ErrorKind::login_needed, "interrupted");
}

// Runs the only transfer of the multi to its end.
CURLcode run(CURLM* multi, const std::function<void()>& waiting) {
  for (;;) {
    int running = 0;
    Attached::check(curl_multi_perform(multi, &running));
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg == CURLMSG_DONE) return message->data.result;
    }
    stop_when_interrupted();
    if (waiting) waiting();
    curl_waitfd interruption{
        .fd = interrupt_descriptor(), .events = CURL_WAIT_POLLIN, .revents = 0};
    const unsigned watched = interruption.fd >= 0 ? 1 : 0;
    Attached::check(curl_multi_poll(multi, &interruption, watched, 1000, nullptr));
  }
}

// Returns the headers of the final answer, without those of a proxy or of a 1xx.
Headers headers_of(CURL* easy) {
  Headers headers;
  curl_header* header = nullptr;
  while ((header = curl_easy_nextheader(easy, CURLH_HEADER, -1, header)) != nullptr) {
    headers.add(header->name, header->value);
  }
  return headers;
}

// Logs no path and no query, since they may be secret.
void log_answer(const CurlHandle& handle, const Request& request, const Response& response) {
  if (!is_logged(LogLevel::debug)) return;
  char* address = nullptr;
  curl_easy_getinfo(handle.get(), CURLINFO_PRIMARY_IP, &address);
  long connections = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_NUM_CONNECTS, &connections);
  curl_off_t microseconds = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_TOTAL_TIME_T, &microseconds);
  log(LogLevel::debug,
      fmt::format("asked {}{}{}", request.url.authority(), request.purpose.empty() ? "" : " for ",
                  request.purpose),
      {{"answer", response.reference()},
       {"address", address != nullptr ? address : ""},
       {"connection", connections > 0 ? "new" : "kept"},
       {"took", fmt::format("{} ms", microseconds / 1000)}});
}

void check_size(const Arrival& arrival, const Request& request) {
  const auto too_large = [&](std::string_view part, std::size_t limit) {
    return Error(ErrorKind::protocol,
                 fmt::format("the answer of {} is not usable: its {} is larger than {} bytes",
                             request.url.authority(), part, limit));
  };
  if (arrival.excess == Arrival::Excess::headers) throw too_large("header", max_header_bytes);
  if (arrival.excess == Arrival::Excess::body) throw too_large("body", request.max_body);
}

}  // namespace

struct HttpClient::Impl {
  ConnectionOptions options;
  std::map<std::string, CurlHandle> handles;  // by origin; each holds its TLS sessions
  CurlMulti multi;  // keeps the connections; last, since these refer to the handles to the end

  CurlHandle& handle_for(const Url& url);
};

CurlHandle& HttpClient::Impl::handle_for(const Url& url) {
  if (!multi) multi = make_multi();
  const auto known = handles.find(url.origin());
  if (known != handles.end()) return known->second;
  CurlHandle handle(options, url);
  // libcurl then blocks SIGPIPE during its own writes.
  set_option(handle.get(), CURLOPT_NOSIGNAL, 0L);
  return handles.emplace(url.origin(), std::move(handle)).first->second;
}

HttpClient::HttpClient(ConnectionOptions options) : impl_(std::make_unique<Impl>()) {
  impl_->options = std::move(options);
}
HttpClient::~HttpClient() = default;

Response HttpClient::send(const Request& request) {
  stop_when_interrupted();
  const CurlList headers = header_list(request);
  CurlHandle& handle = impl_->handle_for(request.url);
  CURL* easy = handle.get();
  Arrival arrival{.max_body = request.max_body, .body = {}};
  set_option(easy, CURLOPT_URL, request.url.text().c_str());
  set_method(easy, request);
  set_option(easy, CURLOPT_HTTPHEADER, headers.get());
  set_option(easy, CURLOPT_TIMEOUT_MS, long{request.timeout.count()});
  set_option(easy, CURLOPT_WRITEFUNCTION, &Arrival::on_body);
  set_option(easy, CURLOPT_WRITEDATA, &arrival);
  set_option(easy, CURLOPT_HEADERFUNCTION, &Arrival::on_header);
  set_option(easy, CURLOPT_HEADERDATA, &arrival);
  Departure departure{.request = request};
  set_option(easy, CURLOPT_PREREQFUNCTION, &Departure::on_ready);
  set_option(easy, CURLOPT_PREREQDATA, &departure);

  handle.forget_failure();
  const Attached attached(impl_->multi.get(), easy);
  const CURLcode code = run(impl_->multi.get(), request.waiting);
  if (departure.objection) std::rethrow_exception(departure.objection);
  check_size(arrival, request);
  if (code != CURLE_OK) throw network_error(handle, code, request.url);
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  Response response{.status = static_cast<int>(status),
                    .headers = headers_of(easy),
                    .body = std::move(arrival.body),
                    .certificate_request = handle.handshake().request};
  if (const auto date = response.date();
      date && impl_->options.verify == ConnectionOptions::Verify::yes)
    note_edge_time(request.url.host, *date);
  log_answer(handle, request, response);
  return response;
}

}  // namespace mayfly
