// What changes in a message between a local HTTP listener and the application.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/forward/local_urls.hpp"
#include "access/http1/body.hpp"
#include "access/http1/head.hpp"

namespace mayfly {

// Which URLs of the application become the listener's in an answer: those of a redirect, or all
// that a program may follow.
enum class ChangedUrls { in_redirects, everywhere };

struct RequestChanges {
  SitePair site;
  Headers added;  // what opens the application, and the person's own; replace others
  BodyFraming body;
  enum class Upgrade { none, websocket } upgrade = Upgrade::none;
  // How the answer is to come, so that its URLs can be changed.
  enum class Answer { any, uncompressed, uncompressed_and_whole } answer = Answer::any;
};

// The path and query of a target, "" when it is none of this site: "/path", "http://HOST/path".
std::string path_of_target(const RequestHead& head);
// Whether a path is the application's: below its own, if it has one, and without a way out of it.
bool is_below(std::string_view path, std::string_view application_path);

// Whether it asks for a WebSocket; other protocols are not passed on.
bool wants_websocket(const RequestHead& head);

// Returns whether the answer may be JSON. It is none if a browser says that it loads something
// else for a page (Fetch Metadata, section 2.1).
bool may_ask_for_json(const RequestHead& head);

// The head as it goes to the application, with its empty line. Hop-by-hop headers (RFC 9110 section
// 7.6.1) and whatever Cf-Access-* the program sent are left out.
std::string request_text(const RequestHead& head, const RequestChanges& changes);

struct ResponseChanges {
  SitePair site;
  BodyFraming body;
  enum class Then { keep_alive, close, upgraded } then = Then::keep_alive;
  ChangedUrls urls = ChangedUrls::in_redirects;
  // changed: its length is another one, and parts of it are not served.
  enum class Content { as_it_came, changed } content = Content::as_it_came;
};

// The head as the local program gets it, with its empty line: what names the application names the
// listener, and cookies are the listener's.
std::string response_text(const ResponseHead& head, const ResponseChanges& changes);

// A Set-Cookie's value for plain HTTP at another host; nothing for those of Access.
std::optional<std::string> local_cookie(std::string_view value);
// A Cookie's value without those of Access; "" when nothing is left.
std::string cookies_without_access(std::string_view value);

// A page of our own: what failed and what to do.
struct Page {
  int status = 502;
  std::string message = {}, hint = {};
  std::string location = {};  // of a redirect
  std::string link = {};      // of a page in HTML: a path of this listener; see click_page.hpp
  std::optional<std::chrono::seconds> retry_after = {};  // RFC 9110 section 10.2.3
  enum class Body { sent, head_only } body = Body::sent;
};
std::string page_text(const Page& page);

}  // namespace mayfly
