// Removes tokens from a stream of text or a cookie jar.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "access/core/secret.hpp"

namespace mayfly::cli {

// Replaces the secrets, and the values of the cookies and headers of Access, by "***" in a text
// that comes in pieces of any size. A secret that breaks off after at least 8 bytes is replaced,
// too, since curl cuts long lines.
class Redaction {
 public:
  explicit Redaction(std::vector<Secret> secrets);

  // Returns the text that can be shown now. The end of a piece waits for the next one if a secret
  // may begin in it.
  std::string next(std::string_view piece);
  // Returns the text that still waited.
  std::string rest();

 private:
  struct Found {
    enum class What { nothing, perhaps, secret, cookie, header } what = What::nothing;
    std::size_t size = 0;
  };
  Found look(std::string_view text) const;
  void take_value(std::string_view& text, std::string& shown);

  std::vector<Secret> secrets_;
  std::string firsts_;  // the characters that a secret, cookie or header may begin with
  std::string held_;
  bool is_over_ = false;  // no more text comes
  enum class Inside { text, header_begin, value_begin, value } inside_ = Inside::text;
};

// Returns the last jar in what curl wrote (it writes the whole jar each time), without the cookies
// that Access sets; "" if there is none.
std::string cleaned_cookie_jar(std::string_view written);

}  // namespace mayfly::cli
