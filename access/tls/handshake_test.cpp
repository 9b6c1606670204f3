#include "access/tls/handshake.hpp"

#include <doctest/doctest.h>

using namespace mayfly;
using namespace std::chrono_literals;
using std::chrono::sys_seconds;

TEST_CASE("a message shows a certificate's subject, issuer and dates") {
  CertificateFacts facts;
  facts.subject = "CN=a";
  facts.issuer = "CN=b";
  facts.not_before = sys_seconds(1763918520s);  // date -u -d @1763918520
  // RFC 5280 section 4.1.2.5: the end of a certificate that never expires.
  facts.not_after = sys_seconds(253402300799s);
  CHECK(certificate_text(facts) ==
        "\"CN=a\", issued by \"CN=b\", valid from 2025-11-23 17:22 UTC to 9999-12-31 23:59 UTC");
  facts.not_before = sys_seconds(-22316112466s);  // date -u -d @-22316112466
  CHECK(certificate_text(facts).find("from 1262-10-30 15:52 UTC") != std::string::npos);
}
