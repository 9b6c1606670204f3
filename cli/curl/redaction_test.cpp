// Tokens taken out of what curl writes.
#include "cli/curl/redaction.hpp"

#include <doctest/doctest.h>

using namespace mayfly;
using namespace mayfly::cli;

namespace {

// In pieces of that size: where a piece ends must not matter.
std::string redacted(std::string_view text, std::size_t piece) {
  Redaction redaction(
      {Secret(std::string("eyJ.token.x")), Secret(std::string("s3cret")), Secret()});
  std::string shown;
  for (std::size_t i = 0; i < text.size(); i += piece)
    shown += redaction.next(text.substr(i, piece));
  return shown + redaction.rest();
}

}  // namespace

TEST_CASE("redaction: secrets and the cookies of Access, wherever a piece ends") {
  struct Case {
    const char* text;
    const char* shown;
  };
  const Case cases[] = {
      {"> Cf-Access-Token: eyJ.token.x\r\n", "> Cf-Access-Token: ***\r\n"},
      {"eyJ.token.xeyJ.token.x", "******"},
      {"eyJ.tok", "eyJ.tok"},
      {"eeyJ.token.x", "e***"},
      {"< set-cookie: CF_Authorization=other; Path=/\r\n",
       "< set-cookie: CF_Authorization=***; Path=/\r\n"},
      {"* Added cookie CF_Authorization=\"other\" for domain",
       "* Added cookie CF_Authorization=\"***\" for domain"},
      {"{\"set-cookie\":[\"CF_Authorization=other\"]}",
       "{\"set-cookie\":[\"CF_Authorization=***\"]}"},
      {"a.example\tFALSE\t/\tTRUE\t0\tCF_Authorization\tother\n",
       "a.example\tFALSE\t/\tTRUE\t0\tCF_Authorization\t***\n"},
      {"CF_AppSession=a; CF_Binding=b; CF_Session=c; d=e",
       "CF_AppSession=***; CF_Binding=***; CF_Session=***; d=e"},
      {"CF_Authorization=; Expires=", "CF_Authorization=; Expires="},
      {"no secret: C CF_ CF_Auth s3cre", "no secret: C CF_ CF_Auth s3cre"},
      {"pw=s3cret!", "pw=***!"},
  };
  for (const Case& one : cases) {
    for (const std::size_t piece : {1, 2, 3, 7, 1000}) {
      CAPTURE(one.text);
      CAPTURE(piece);
      CHECK(redacted(one.text, piece) == one.shown);
    }
  }
}

TEST_CASE("redaction: a secret that curl cuts off is hidden as well") {
  const std::string token = "eyJhbGciOi." + std::string(2500, 'x') + ".y";
  for (std::size_t size = 8; size <= token.size(); size += size < 20 ? 1 : 97) {
    for (const std::size_t piece : {1, 7, 3000}) {
      for (const std::string end : {"", "~\n", "]"}) {
        const std::string text = "[" + token.substr(0, size) + end;
        Redaction redaction({Secret(std::string(token))});
        std::string shown;
        for (std::size_t i = 0; i < text.size(); i += piece)
          shown += redaction.next(text.substr(i, piece));
        CAPTURE(size);
        CHECK(shown + redaction.rest() == "[***" + end);
      }
    }
  }
}

TEST_CASE("redaction: the values of headers of Access, whatever they are") {
  for (const std::size_t piece : {1, 3, 1000}) {
    CHECK(redacted("* [HTTP/2] [1] [cf-access-token: other\n", piece) ==
          "* [HTTP/2] [1] [cf-access-token: ***\n");
    CHECK(redacted("> CF-Access-Client-Secret: other\r\n", piece) ==
          "> CF-Access-Client-Secret: ***\r\n");
    CHECK(redacted("{\"cf-access-jwt-assertion\":[\"other\"]}", piece) ==
          "{\"cf-access-jwt-assertion\":[\"***\"]}");
    CHECK(redacted("cf-access-tokens: other", piece) == "cf-access-tokens: other");
  }
}

TEST_CASE("redaction: bytes that are no text pass as they are") {
  std::string all;
  for (int i = 0; i < 1024; ++i) all += static_cast<char>(i * 7);
  CHECK(redacted(all, 5) == all);
}

TEST_CASE("redaction: text without a secret does not wait for more") {
  Redaction redaction({Secret(std::string("token"))});
  CHECK(redaction.next("password: ") == "password: ");
  CHECK(redaction.next("tok").empty());
  CHECK(redaction.next("yo") == "tokyo");
}

TEST_CASE("redaction: of a cookie jar the last one counts, without the cookies of Access") {
  const std::string head = "# Netscape HTTP Cookie File\n# https://curl.se\n\n";
  const std::string own = "a.example\tFALSE\t/\tTRUE\t0\tsession\t1\n";
  const std::string theirs = "#HttpOnly_a.example\tFALSE\t/\tTRUE\t0\tCF_Authorization\teyJ\n";
  CHECK(cleaned_cookie_jar(head + own + theirs) == head + own);
  CHECK(cleaned_cookie_jar(head + theirs + head + own) == head + own);
  CHECK(cleaned_cookie_jar("").empty());
}
