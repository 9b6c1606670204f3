// May this request pass to the application?
#pragma once

#include <optional>

#include "visit.hpp"

namespace edge {

struct Admission {
  bool admitted = false;
  Identity identity;
  std::vector<Field> fields;  // cookies that were earned
  Response refusal;           // when not admitted
};

Admission admit(Visit& visit);

// 302 to the team's login page, with a fresh CF_AppSession and the mark of Access.
Response login_redirect(Visit& visit);

// A Set-Cookie field for CF_Authorization; `seconds` until Expires, negative when it is over.
Field authorization_cookie(const Edge& edge, const std::string& token, long seconds);
// The token of an Authorization field with the scheme Bearer; "" for another one.
std::string bearer_token(const std::string& authorization);
std::string binding_value(const Identity& identity);

}  // namespace edge
