#include "access/identity/transfer.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <sodium.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "access/core/clock.hpp"
#include "access/core/encoding.hpp"
#include "access/core/error.hpp"
#include "access/core/json.hpp"
#include "access/core/log.hpp"
#include "access/core/text.hpp"
#include "access/system/interrupt.hpp"

namespace mayfly {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr int kMaxServerErrors = 3;
// With the pauses between them about a minute and a half.
constexpr int kMaxQuickDrops = 12;
// A poll that broke later than this was held by the service: middleboxes cut idle connections.
constexpr auto kHeldPoll = 20s;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* writable(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

Error not_sealed(std::string_view why) {
  return Error(ErrorKind::protocol, fmt::format("opening the login's answer: {}", why));
}

std::optional<std::string> form_decode(std::string_view text) {
  if (!is_percent_encoded(text)) return std::nullopt;
  return percent_decode(text, Plus::space);
}

// The pairs of a query, sorted by name; the values of one name keep their order.
class Query {
 public:
  // Reads a query as Go's net/url does: skips pairs that it cannot decode or that hold a ";".
  explicit Query(std::string_view text) {
    for (const std::string_view pair : split(text, '&')) {
      if (pair.empty() || pair.find(';') != std::string_view::npos) continue;
      const auto equals = pair.find('=');
      const auto name = form_decode(pair.substr(0, equals));
      const auto value =
          form_decode(equals == std::string_view::npos ? "" : pair.substr(equals + 1));
      if (name && value) values_[*name].push_back(*value);
    }
  }

  void set(const std::string& name, std::string_view value) {
    values_[name] = {std::string(value)};
  }

  std::string text() const {
    std::string joined;
    for (const auto& [name, values] : values_)
      for (const std::string& value : values)
        joined += (joined.empty() ? "" : "&") + form_encode(name) + "=" + form_encode(value);
    return joined;
  }

 private:
  std::map<std::string, std::vector<std::string>> values_;
};

// Moves the member out, so that no copy stays behind.
Secret take_secret(nlohmann::json& object, const char* name) {
  const auto member = object.find(name);
  if (member == object.end() || !member->is_string()) return {};
  return Secret(std::move(member->get_ref<std::string&>()));
}

TokenPair read_tokens(const Secret& opened) {
  auto object = parse_json(opened.reveal());
  if (!object || !object->is_object()) throw not_sealed("it is not a JSON object");
  TokenPair tokens{.app_token = take_secret(*object, "app_token"),
                   .org_token = take_secret(*object, "org_token")};
  if (tokens.app_token.empty()) throw not_sealed("it holds no application token");
  return tokens;
}

[[noreturn]] void give_up(std::string_view why) {
  throw Error(ErrorKind::login_needed, fmt::format("login not completed: {}", why),
              "run the command again and open the URL it shows");
}

void wait_interruptibly(milliseconds duration, const std::function<void()>& waiting) {
  const TimeLimit limit(duration);
  for (;;) {
    const auto left = limit.left();
    if (left.count() <= 0) return;
    pollfd interrupt{.fd = interrupt_descriptor(), .events = POLLIN, .revents = 0};
    if (poll(&interrupt, 1, static_cast<int>(std::min(left, milliseconds(1s)).count())) > 0)
      give_up("interrupted");
    waiting();
  }
}

class Polling {
 public:
  Polling(const Send& send, const TransferKey& key, const TransferOptions& options,
          const std::function<void(seconds left)>& waiting)
      : send_(send),
        options_(options),
        waiting_([this, &waiting] { waiting(left()); }),
        limit_(options.patience),
        url_{.host = transfer_host(options.service),
             .path = "/transfer/" + key.public_key(),
             .query = {}} {}

  // Returns the answer with the tokens, or nullopt if this poll brought none.
  std::optional<Response> once() {
    const auto started = steady_clock::now();
    const auto time_left = limit_.left();
    if (time_left <= milliseconds::zero()) give_up("it was not finished in time");
    waiting_();
    auto response = try_send(std::min(options_.poll_timeout, time_left + 1s));
    if (response && response->status == 200 && !response->body.empty()) return response;
    if (response) judge(*response);
    wait_interruptibly(pause_after(std::chrono::floor<milliseconds>(steady_clock::now() - started)),
                       waiting_);
    return std::nullopt;
  }

 private:
  seconds left() const { return std::chrono::ceil<seconds>(limit_.left()); }

  std::optional<Response> try_send(milliseconds timeout) {
    const auto started = steady_clock::now();
    try {
      Response response = send_({.url = url_,
                                 .headers = {},
                                 .body = {},
                                 .timeout = timeout,
                                 .purpose = "the login's answer",
                                 .waiting = waiting_});
      drops_ = 0;
      return response;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::network) throw;
      drops_ = steady_clock::now() - started < kHeldPoll ? drops_ + 1 : 0;
      if (drops_ >= kMaxQuickDrops) throw;
      log(LogLevel::debug, "login poll dropped", {{"reason", error.message()}});
      return std::nullopt;
    }
  }

  void judge(const Response& response) {
    server_errors_ = response.status >= 500 ? server_errors_ + 1 : 0;
    if (server_errors_ < kMaxServerErrors) return;
    throw Error(ErrorKind::network,
                fmt::format("asking {} for the login's answer: {} ({})", url_.host,
                            printable(response.body), response.reference()),
                "try again in a while");
  }

  milliseconds pause_after(milliseconds poll_took) const {
    const int failures = std::max(drops_, server_errors_);
    const int factor = std::min(failures > 0 ? 1 << std::min(failures - 1, 4) : 1, 10);
    return std::clamp(options_.pause * factor - poll_took, milliseconds::zero(), limit_.left());
  }

  const Send& send_;
  const TransferOptions& options_;
  std::function<void()> waiting_;
  TimeLimit limit_;
  Url url_;
  int drops_ = 0;
  int server_errors_ = 0;
};

}  // namespace

std::optional<Secret> open_box(std::string_view sealed, std::string_view sender,
                               const Secret& secret_key) {
  if (sealed.size() < crypto_box_NONCEBYTES + crypto_box_MACBYTES ||
      sender.size() != crypto_box_PUBLICKEYBYTES ||
      secret_key.size() != crypto_box_SECRETKEYBYTES || sodium_init() < 0)
    return std::nullopt;
  const std::string_view box = sealed.substr(crypto_box_NONCEBYTES);
  std::string opened(box.size() - crypto_box_MACBYTES, '\0');
  if (crypto_box_open_easy(writable(opened), bytes_of(box), box.size(), bytes_of(sealed),
                           bytes_of(sender), bytes_of(secret_key.reveal())) != 0)
    return std::nullopt;
  Secret content{std::string_view(opened)};
  wipe(opened);
  return content;
}

TransferKey::TransferKey() : public_key_(crypto_box_PUBLICKEYBYTES, '\0') {
  if (sodium_init() < 0)
    throw Error(ErrorKind::failed, "making a key pair: libsodium did not start");
  std::string secret_key(crypto_box_SECRETKEYBYTES, '\0');
  crypto_box_keypair(writable(public_key_), writable(secret_key));
  secret_key_ = Secret(std::string_view(secret_key));
  wipe(secret_key);
}

std::string TransferKey::public_key() const {
  return base64_encode(public_key_, Base64::url);
}

Secret TransferKey::open(std::string_view body, std::string_view sender_public_key) const {
  if (body.ends_with('\n')) body.remove_suffix(1);
  const auto sealed = base64_decode(body, Base64::standard);
  if (!sealed) throw not_sealed("it is not base64");
  const auto sender = base64_decode(sender_public_key, Base64::url);
  if (!sender) throw not_sealed("the sender's key is not base64url");
  auto opened = open_box(*sealed, *sender, secret_key_);
  if (!opened) throw not_sealed("it was not sealed for this login");
  return std::move(*opened);
}

std::string transfer_host(TransferOptions::Service service) {
  return service == TransferOptions::Service::fedramp ? "login.fed.cloudflareaccess.org"
                                                      : "login.cloudflareaccess.org";
}

std::string login_url(const Url& url, const Application& application, std::string_view public_key,
                      const TransferOptions& options) {
  Query query(url.query);
  query.set("token", public_key);
  query.set("aud", application.audience);

  Url back = url;
  back.query = query.text();

  query.set("redirect_url", back.text());
  query.set("send_org_token", "true");
  query.set("edge_token_transfer", "true");
  if (options.interstitial == TransferOptions::Interstitial::close)
    query.set("close_interstitial", "true");
  return url.origin() + "/cdn-cgi/access/cli?" + query.text();
}

TokenPair fetch_transfer(const Send& send, const TransferKey& key, const TransferOptions& options,
                         const std::function<void(seconds left)>& waiting) {
  Polling polling(send, key, options, waiting);
  for (;;) {
    if (interrupted_by() != 0) give_up("interrupted");
    if (const auto response = polling.once())
      return read_tokens(key.open(response->body, response->headers.find("service-public-key")));
  }
}

}  // namespace mayfly
