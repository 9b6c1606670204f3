#include "access/forward/http_connection.hpp"

#include <fmt/core.h>

#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <utility>

#include "access/answer/login.hpp"
#include "access/answer/machine.hpp"
#include "access/answer/refusal.hpp"
#include "access/core/error.hpp"
#include "access/core/log.hpp"
#include "access/core/text.hpp"
#include "access/forward/no_answer.hpp"
#include "access/io/deadline.hpp"
#include "access/system/platform.hpp"

namespace mayfly {
namespace {

using State = HttpExchange::State;
using std::chrono::milliseconds;

constexpr milliseconds for_ever = std::chrono::hours(24 * 365);
// After an upgrade, for a program that has finished sending: known to be there, or not known.
constexpr milliseconds linger_for_waiting = std::chrono::seconds(30);
constexpr milliseconds linger = std::chrono::seconds(5);

LocalPlace place_of(int socket, const HttpConnection::Shared& shared) {
  const ForwarderOptions& options = shared.options;
  LocalPlace place = LocalPlace::of(socket, shared.names, options.aliases);
  place.own_name = options.own_name;
  place.local_names = options.local_names;
  place.service_workers = options.service_workers;
  return place;
}

bool goes_on(const HttpExchange& exchange) {
  return exchange.state() == State::waiting || exchange.state() == State::passing;
}

}  // namespace

HttpConnection::HttpConnection(const asio::any_io_executor& executor, const Shared& shared,
                               Descriptor socket, std::shared_ptr<Admission::Guest> guest)
    : executor_(executor),
      shared_(shared),
      guest_(std::move(guest)),
      socket_(std::move(socket)),
      place_(place_of(socket_.get(), shared)),
      stream_(executor, socket_.get()),
      program_(socket_.get(), stream_, shared.peers) {
  keep_alive(socket_.get());
}

void HttpConnection::interrupt() {
  next_ = Next::goodbye;
  if (idle_) stream_.cancel();
  interrupted_ = true;
  if (upgraded_ && ready_ != nullptr) ready_->ring();
}

asio::awaitable<void> HttpConnection::run() {
  while (next_ == Next::request) {
    const std::optional<std::string> text = co_await read_head();
    if (!text) co_return;
    auto judged = judge_request(*text, place_, shared_.options.edge.url);
    if (auto* page = std::get_if<Page>(&judged)) {
      const auto level = page->location.empty() ? LogLevel::warn : LogLevel::debug;
      log(level, Error(ErrorKind::refused, page->message, page->hint));
      co_return co_await say(std::move(*page));
    }
    if (!hold(*text, std::get<AskedRequest>(judged))) co_return co_await say(too_busy());
    co_await serve(std::get<AskedRequest>(judged));
    served_ = true;
  }
}

// Counts what the request holds while it is served: its head as it came, as it was read and as it
// is sent, and of its body what may have to be sent twice.
bool HttpConnection::hold(const std::string& head, const AskedRequest& asked) {
  const std::size_t body = asked.body.scanner.over() ? 0 : RequestBody::most_replay;
  return guest_->hold(3 * head.size() + ahead_.capacity() + body);
}

void HttpConnection::wait_for_head() {
  const auto end = [this] { stream_.cancel(); };
  ahead_.empty() && served_ ? guest_->is_idle(end) : guest_->is_half_open(end);
}

// Nothing when there is no more, or what there is, is no head.
asio::awaitable<std::optional<std::string>> HttpConnection::read_head() {
  std::optional<Deadline> deadline;
  for (bool begun = false;;) {
    if (ahead_.starts_with("\r\n")) ahead_.erase(0, 2);  // RFC 9112 section 2.2
    // A read may bring the end together with what is too much.
    if (const auto end = find_head_end(ahead_); end && end->head <= most_head) {
      std::string head = ahead_.substr(0, end->head);
      ahead_.erase(0, end->all);
      guest_->is_busy();
      co_return head;
    }
    if (ahead_.starts_with('\x16'))
      throw Error(ErrorKind::failed, "a local program was turned away: it speaks TLS",
                  "use http:// and not https:// in the listener's address");
    if (ahead_.size() > most_head) {
      guest_->is_busy();
      Page page{.status = 431, .message = "the request's head is too long"};
      co_await say(std::move(page));
      co_return std::nullopt;
    }
    if (!deadline || (!begun && !ahead_.empty())) {
      begun = !ahead_.empty();
      const HttpPatience& patience = shared_.options.patience;
      deadline.emplace(executor_, begun ? patience.head : patience.between_requests);
      deadline->cancel_by([this] { stream_.cancel(); });
    }
    idle_ = ahead_.empty();
    if (idle_) ahead_.shrink_to_fit();  // thousands may wait
    wait_for_head();
    if (!guest_->hold(idle_ ? 0 : ahead_.capacity())) co_return std::nullopt;
    const bool more = co_await stream_.read_more(ahead_, shared_.buffers);
    idle_ = false;
    if (!more) co_return std::nullopt;
  }
}

asio::awaitable<void> HttpConnection::serve(AskedRequest& asked) {
  if (!asked.keep_alive) next_ = Next::goodbye;
  Outcome outcome = co_await forward(asked);
  if (outcome.what == Outcome::What::gone) co_return stream_.reset();
  if (outcome.what == Outcome::What::cut) {
    stream_.reset();
    throw Error(ErrorKind::network, outcome.page.message, outcome.page.hint);
  }
  if (outcome.what == Outcome::What::refused) {
    outcome.page.body = asked.page_body();
    const Error error(ErrorKind::network, outcome.page.message, outcome.page.hint);
    co_await say(std::move(outcome.page));
    throw error;
  }
  if (next_ == Next::goodbye) co_await stream_.say_goodbye("");
}

// With another token, or over another connection, once each where that may help.
asio::awaitable<HttpConnection::Outcome> HttpConnection::forward(AskedRequest& asked) {
  using What = Outcome::What;
  auto opening = co_await open(std::nullopt);
  auto which = EdgePool::Which::any;
  for (renewed_ = false;;) {
    if (!opening) {
      next_ = Next::goodbye;
      co_return Outcome{What::gone};
    }
    if (auto* page = std::get_if<Page>(&*opening))
      co_return Outcome{What::refused, std::move(*page)};
    Outcome outcome = co_await attempt(asked, std::get<Headers>(*opening), which);
    if (outcome.what == What::stale || outcome.what == What::part) {
      which = EdgePool::Which::fresh;
    } else if (outcome.what == What::login) {
      if (renewed_) co_return Outcome{What::refused, std::move(outcome.page)};
      renewed_ = true;
      const Headers refused = std::get<Headers>(*std::move(opening));
      opening = co_await open(refused);
      const auto* others = opening ? std::get_if<Headers>(&*opening) : nullptr;
      if (others != nullptr && *others == refused)
        co_return Outcome{What::refused, std::move(outcome.page)};
      if (!asked.body.can_be_replayed && opening && std::holds_alternative<Headers>(*opening))
        co_return Outcome{What::refused, login_in_between(asked)};
    } else {
      co_return outcome;
    }
  }
}

// What opens the application, other than what it refused.
asio::awaitable<std::optional<Opening>> HttpConnection::open(std::optional<Headers> refused) {
  return find_opening(executor_, shared_.authorizer, std::move(refused), program_);
}

asio::awaitable<HttpConnection::Outcome> HttpConnection::attempt(AskedRequest& asked,
                                                                 const Headers& opening,
                                                                 EdgePool::Which which) {
  std::unique_ptr<EdgeConnection> edge;
  try {
    edge = co_await shared_.pool.take(which);
  } catch (const Error& error) {
    co_return Outcome{Outcome::What::refused, page_of(error)};
  }
  // To connect takes its time, and the login may have ended meanwhile.
  if (!shared_.authorizer.may_send()(opening)) {
    shared_.pool.give_back(std::move(edge));
    co_return Outcome{Outcome::What::refused, page_of(logged_out(asked.site.application))};
  }
  RequestChanges changes{.site = asked.site, .added = opening, .body = asked.framing};
  const Headers& own = shared_.options.edge.headers;
  changes.added.add(own);
  if (asked.websocket) changes.upgrade = RequestChanges::Upgrade::websocket;
  const ChangedUrls urls = shared_.options.changed_urls;
  if (urls == ChangedUrls::everywhere) changes.answer = asked.wanted_answer();
  const auto interim = [&](const ResponseHead& head) {
    if (asked.head.minor_version == 0) return std::string();
    return response_text(head, {.site = asked.site, .body = {}, .urls = urls});
  };
  HttpExchange exchange({.client = stream_.end(),
                         .edge = *edge->stream,  // cppcheck-suppress accessMoved
                         .buffers = shared_.buffers,
                         .body = asked.body,
                         .ahead = ahead_,
                         .interim = interim},
                        request_text(asked.head, changes));
  Outcome outcome = co_await this->exchange(asked, *edge, exchange, opening);
  if (exchange.edge_is_clean()) shared_.pool.give_back(std::move(edge));
  co_return outcome;
}

asio::awaitable<HttpConnection::Outcome> HttpConnection::exchange(AskedRequest& asked,
                                                                  EdgeConnection& edge,
                                                                  HttpExchange& exchange,
                                                                  const Headers& opening) {
  FirstReady ready(executor_);
  Patience patience = co_await settle(exchange, edge, ready);
  std::optional<Outcome> outcome;
  if (exchange.state() == State::answered) {
    outcome = decide(exchange, asked, opening);
    if (!outcome) patience = co_await settle(exchange, edge, ready);
  }
  program_.stop();
  if (!outcome) outcome = outcome_of(exchange, asked, edge, patience);
  co_return std::move(*outcome);
}

HttpConnection::Outcome HttpConnection::outcome_of(const HttpExchange& exchange,
                                                   const AskedRequest& asked,
                                                   const EdgeConnection& edge, Patience patience) {
  using What = Outcome::What;
  const State state = exchange.state();
  const bool kept = edge.age == EdgeConnection::Age::used && !exchange.edge_spoke();
  if (state == State::edge_failed && kept && asked.body.can_be_replayed && asked.is_idempotent())
    return Outcome{What::stale};
  if (state != State::done || !exchange.request_is_over()) next_ = Next::goodbye;
  if (upgraded_ || state == State::done) return Outcome{};
  if (state == State::client_gone) return Outcome{What::gone};
  if (exchange.answer_has_begun())
    return Outcome{What::cut,
                   {.message = fmt::format(
                        "the answer to {} was cut: {}", asked.name(),
                        patience == Patience::left ? exchange.problem() : "nothing more came"),
                    .hint = "try again"}};
  if (state == State::bad_request)
    return Outcome{What::refused,
                   {.status = 400, .message = "the request is refused: " + exchange.problem()}};
  if (patience == Patience::over) return Outcome{What::refused, too_late(asked)};
  return Outcome{What::refused, no_answer(asked, exchange.problem())};
}

milliseconds HttpConnection::patience_for(const HttpExchange& exchange) const {
  if (!upgraded_) return shared_.options.patience.silence;
  if (!exchange.client_has_finished()) return for_ever;
  return program_.is_there() ? linger_for_waiting : linger;
}

// Lets the exchange go on until it has come to something, or nothing moves any more.
asio::awaitable<HttpConnection::Patience> HttpConnection::settle(HttpExchange& exchange,
                                                                 EdgeConnection& edge,
                                                                 FirstReady& ready) {
  using For = WatchedDescriptor::For;
  using Ready = IoResult::State;
  ready_ = &ready;
  bool in_time = true;
  while (in_time && goes_on(exchange) && !(upgraded_ && interrupted_)) {
    if (program_.has_aborted() && !upgraded_) exchange.client_has_gone();
    const HttpExchange::Wants wants = exchange.step();
    if (exchange.client_has_finished()) program_.has_finished_sending();
    if (exchange.client_has_finished() && program_.has_aborted()) exchange.client_has_gone();
    if (!goes_on(exchange)) break;
    if (wants.at_once) {
      co_await asio::post(executor_, asio::use_awaitable);
      continue;
    }
    const auto client = [&](Ready what) { return [&, what] { exchange.client_is(what); }; };
    const auto other = [&](Ready what) { return [&, what] { exchange.edge_is(what); }; };
    if (wants.client_readable)
      ready.watch(stream_.watched(), For::wait_read, client(Ready::wait_readable));
    if (wants.client_writable)
      ready.watch(stream_.watched(), For::wait_write, client(Ready::wait_writable));
    if (wants.edge_readable) ready.watch(edge.watched, For::wait_read, other(Ready::wait_readable));
    if (wants.edge_writable)
      ready.watch(edge.watched, For::wait_write, other(Ready::wait_writable));
    // After an upgrade the program is read from, and what it said last still counts.
    if (!upgraded_ || exchange.client_has_finished()) program_.wake(ready);
    if (!upgraded_ && exchange.request_is_over()) program_.wake_at_end_of_stream(ready);
    in_time = co_await program_.wait(ready, patience_for(exchange));
  }
  ready_ = nullptr;
  co_return in_time ? Patience::left : Patience::over;
}

// Tells whether the answer is Access's and not the application's. A 401 in spite of new headers is
// passed on: the origin can forge it, and the program may know what to do.
std::optional<HttpConnection::Outcome> HttpConnection::judge_login(const ResponseHead& head,
                                                                   const AskedRequest& asked,
                                                                   const Headers& opening) {
  using What = Outcome::What;
  const Url& url = asked.site.application;
  const bool is_login = wants_login(url, head.status, head.headers, shared_.authorizer.team());
  if (opening.contains(service_token_id_header)) {
    if (!is_login && !is_refusal_of_access(url, head.status, head.headers)) return std::nullopt;
    const Response response{.status = head.status, .headers = head.headers, .body = {}};
    return Outcome{What::login, page_of(service_token_refused(url.authority(), response))};
  }
  if (!is_login) {
    shared_.authorizer.were_accepted(opening);
    return std::nullopt;
  }
  const bool may_renew = !renewed_ && shared_.authorizer.may_replace(opening);
  if (head.status == 401 && !may_renew) return std::nullopt;
  return Outcome{What::login, login_again(asked)};
}

// Passes the answer on, or tells what becomes of the request instead.
std::optional<HttpConnection::Outcome> HttpConnection::decide(HttpExchange& exchange,
                                                              AskedRequest& asked,
                                                              const Headers& opening) {
  using What = Outcome::What;
  const ResponseHead& head = exchange.head();
  log(LogLevel::debug, "the edge answered",
      {{"request", asked.name()}, {"status", std::to_string(head.status)}});
  if (auto outcome = judge_login(head, asked, opening)) return outcome;
  if (head.status == 101) {
    const auto upgrades = head.headers.all("Upgrade");
    if (!asked.websocket || upgrades.size() != 1 ||
        !equals_ignoring_case(upgrades.front(), "websocket"))
      return Outcome{What::refused, no_answer(asked, "it changes to a protocol nobody asked for")};
    upgraded_ = true;
    next_ = Next::goodbye;
    exchange.pass_both_ways(response_text(
        head, {.site = asked.site, .body = {}, .then = ResponseChanges::Then::upgraded}));
    return std::nullopt;
  }
  return pass_on(exchange, asked);
}

std::optional<HttpConnection::Outcome> HttpConnection::pass_on(HttpExchange& exchange,
                                                               AskedRequest& asked) {
  using Kind = BodyFraming::Kind;
  const ResponseHead& head = exchange.head();
  const auto framing = framing_of(head, asked.head.method);
  if (const auto* malformed = std::get_if<Malformed>(&framing))
    return Outcome{Outcome::What::refused, no_answer(asked, malformed->why)};
  const BodyFraming body = std::get<BodyFraming>(framing);
  ResponseChanges changes{.site = asked.site, .body = body, .urls = shared_.options.changed_urls};
  const bool has_json = changes.urls == ChangedUrls::everywhere && has_json_to_change(head);
  const bool is_part = head.status == 206;  // cut at a place that the change moves
  if (has_json && is_part && asked.ask_for_whole()) return Outcome{Outcome::What::part};
  // Of an empty body nothing changes, and its length stays; other bodies may only not be sent.
  const bool is_empty =
      body.kind == Kind::none && asked.head.method != "HEAD" && head.status != 304;
  const bool changes_json = has_json && !is_part && !is_empty;
  if (changes_json) changes.content = ResponseChanges::Content::changed;
  auto chunks = HttpExchange::Chunks::kept;
  // A Unix socket knows no reset: the end of its connection says nothing about that of an answer.
  if (body.kind == Kind::until_close || (changes_json && body.kind != Kind::none)) {
    chunks = HttpExchange::Chunks::made;
    changes.body = {Kind::chunked, 0};
  }
  if (changes.body.kind == Kind::chunked && asked.head.minor_version == 0) {
    chunks = HttpExchange::Chunks::decoded;
    changes.body = {Kind::until_close, 0};
  }
  // A body that nobody waited for is not read to its end.
  if (changes.body.kind == Kind::until_close || !exchange.request_is_over()) next_ = Next::goodbye;
  if (next_ == Next::goodbye) changes.then = ResponseChanges::Then::close;
  std::optional<JsonUrls> changed;
  if (changes_json) changed.emplace(asked.site);
  exchange.pass_on(response_text(head, changes), body, chunks, std::move(changed));
  return std::nullopt;
}

asio::awaitable<void> HttpConnection::say(Page page) {
  next_ = Next::goodbye;
  co_await stream_.say_goodbye(page_text(page));
}

}  // namespace mayfly
