// A local program's request, judged: may it pass, where does it go, does it have a body.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "access/core/url.hpp"
#include "access/forward/http_exchange.hpp"
#include "access/forward/http_guard.hpp"
#include "access/forward/http_rewrite.hpp"

namespace mayfly {

struct AskedRequest {
  RequestHead head;
  SitePair site;
  BodyFraming framing;
  RequestBody body;
  bool websocket = false;
  bool keep_alive = true;    // as far as the program is concerned
  bool wants_whole = false;  // ask_for_whole() has returned true

  // RFC 9110 section 9.2.2: may be sent again when nobody knows whether it was carried out.
  bool is_idempotent() const;
  Page::Body page_body() const;
  // How the answer is to come if URLs in it are changed.
  RequestChanges::Answer wanted_answer() const;
  // Takes a range (RFC 9110 section 14.2) out of the request. Returns whether there was one and the
  // request may be sent again.
  bool ask_for_whole();
  // "GET /path", without a query, which may hold what is nobody's business; printable.
  std::string name() const;
};

std::variant<AskedRequest, Page> judge_request(std::string_view head_text, const LocalPlace& place,
                                               const Url& application);

}  // namespace mayfly
