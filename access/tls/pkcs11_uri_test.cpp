#include "access/tls/pkcs11_uri.hpp"

#include <doctest/doctest.h>

using namespace mayfly;

TEST_CASE("a PKCS#11 token URI is shown without its PIN") {
  CHECK(is_pkcs11_uri("pkcs11:token=a"));
  CHECK(is_pkcs11_uri("PKCS11:token=a"));
  CHECK(!is_pkcs11_uri("pkcs11"));
  CHECK(!is_pkcs11_uri("/etc/pkcs11:x"));
  CHECK(shown_uri("pkcs11:token=a?pin-value=1234&module-path=/x") == "pkcs11:token=a");
  CHECK(shown_uri("pkcs11:token=a;pin-value=1234;object=b") == "pkcs11:token=a;object=b");
}

TEST_CASE("the module of a PKCS#11 token URI") {
  CHECK(module_of("pkcs11:token=a") == "");
  CHECK(module_of("pkcs11:token=a?pin-value=1") == "");
  CHECK(module_of("pkcs11:token=a?pin-value=1&module-path=/a%20b/c.so") == "/a b/c.so");
  CHECK(module_of("pkcs11:token=a?module-path=100%25%2fx%2Gy%") == "100%/x%2Gy%");
}

TEST_CASE("a PKCS#11 token URI without its module keeps the PIN") {
  CHECK(without_module("pkcs11:token=a") == "pkcs11:token=a");
  CHECK(without_module("pkcs11:token=a?module-path=/x") == "pkcs11:token=a");
  CHECK(without_module("pkcs11:token=a?module-path=/x&pin-value=1&module-name=y") ==
        "pkcs11:token=a?pin-value=1");
  CHECK(without_module("pkcs11:token=a?pin-source=file:/p&module-path=/x&pin-value=1") ==
        "pkcs11:token=a?pin-source=file:/p&pin-value=1");
}

TEST_CASE("the PIN file of a PKCS#11 token URI") {
  CHECK(pin_file_of("pkcs11:token=a?pin-value=1") == "");
  CHECK(pin_file_of("pkcs11:token=a?module-path=/x&pin-source=file:/a%20b") == "/a b");
  CHECK(pin_file_of("pkcs11:token=a?pin-source=file:///p") == "/p");
  CHECK(pin_file_of("pkcs11:token=a?pin-source=file://localhost/p") == "/p");
  CHECK(pin_file_of("pkcs11:token=a?pin-source=/p") == "/p");
  CHECK(pin_file_of("pkcs11:token=a;pin-source=/p") == "/p");
  CHECK(pin_file_of("pkcs11:token=a?pin-source=%7cprogram") == "");
}

TEST_CASE("the PIN of a PKCS#11 token URI, and the URI without its PIN") {
  CHECK(pin_of("pkcs11:token=a") == "");
  CHECK(pin_of("pkcs11:token=a?module-path=/x&pin-value=1%26%202") == "1& 2");
  CHECK(pin_of("pkcs11:token=a;pin-value=1%32;object=b?pin-source=file:/p") == "12");
  CHECK(pin_of("pkcs11:pin-value=1") == "1");
  CHECK(pin_of("pkcs11:token=a?pin-source=file:/p;pin-value=1") == "1");
  CHECK(without_pin("pkcs11:token=a;pin-value=1;object=b?x=y") == "pkcs11:token=a;object=b?x=y");
  CHECK(without_pin("pkcs11:pin-value=1;token=a") == "pkcs11:token=a");
  CHECK(without_pin("pkcs11:token=a?pin-source=file:/p;pin-value=1") ==
        "pkcs11:token=a?pin-source=file:/p");
  CHECK(without_pin("pkcs11:") == "pkcs11:");
  CHECK(without_pin("pkcs11:token=a") == "pkcs11:token=a");
  CHECK(without_pin("pkcs11:token=a?pin-value=1") == "pkcs11:token=a");
  CHECK(without_pin("pkcs11:token=a?module-path=/x&pin-value=1&pin-source=file:/p") ==
        "pkcs11:token=a?module-path=/x&pin-source=file:/p");
}
