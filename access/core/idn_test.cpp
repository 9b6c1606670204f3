#include "access/core/idn.hpp"

#include <doctest/doctest.h>

#include "access/core/error.hpp"

namespace mayfly {
namespace {

using namespace std::string_view_literals;

TEST_SUITE("core/idn") {
  TEST_CASE("known names") {
    struct {
      std::string_view name, ascii;
    } const cases[] = {
        {"vm.example.com", "vm.example.com"},
        {"xn--bcher-kva.example", "xn--bcher-kva.example"},
        {"", ""},
        // UTS #46, sections 2 and 4: mapping of case, of full-width letters and dots; sharp s and
        // final sigma are kept (not transitional).
        {"bücher.example", "xn--bcher-kva.example"},
        {"BÜCHER.example", "xn--bcher-kva.example"},
        {"bu\xcc\x88"
         "cher.example",
         "xn--bcher-kva.example"},
        {"faß.de", "xn--fa-hia.de"},
        {"βόλος.com", "xn--nxasmm1c.com"},
        {"日本語。ＪＰ", "xn--wgv71a119e.jp"},
        // The test domains of IANA, https://www.iana.org/domains/reserved.
        {"例え.テスト", "xn--r8jz45g.xn--zckzah"},
        {"пример.испытание", "xn--e1afmkfd.xn--80akhbyknj4f"},
        {"παράδειγμα.δοκιμή", "xn--hxajbheg2az3al.xn--jxalpdlp"},
        {"실례.테스트", "xn--9n2bp8q.xn--9t4b11yi5a"},
        {"例子.测试", "xn--fsqu00a.xn--0zwm56d"},
    };
    for (const auto& [name, ascii] : cases) CHECK(host_to_ascii(name) == ascii);
  }

  TEST_CASE("a name that is refused is given in the form that works") {
    const auto error_of = [](std::string_view name) -> Error {
      try {
        host_to_ascii(name);
      } catch (const Error& error) {
        return error;
      }
      return Error(ErrorKind::failed, "not refused");
    };
    CHECK(error_of("💩.la").hint() == "if it is the right one, write it as xn--ls8h.la");
    CHECK(error_of("i❤️.ws").hint() == "if it is the right one, write it as xn--i-7iq.ws");
    // U+1E9E: UTS #46 mapped it to "ss" before Unicode 15.1, and to "ß" since.
    const Error sharp = error_of("STRAẞE.example");
    CHECK(sharp.kind() == ErrorKind::usage);
    CHECK(sharp.hint() == "write the name with \"ß\" or with \"ss\"");
  }

  TEST_CASE("what is no name") {
    std::string long_label = "ü";
    long_label.append(63, 'a');
    for (const std::string_view name :
         {"\xff.example"sv, "b\xc3.example"sv, "bücher.example\0.evil"sv, "ü\0"sv,
          "\xcc\x88"
          "a.example"sv,  // begins with a combining mark
          std::string_view(long_label)}) {
      CAPTURE(name);
      try {
        const std::string ascii = host_to_ascii(name);
        FAIL_CHECK("became " << ascii);
      } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::usage);
      }
    }
  }
}

}  // namespace
}  // namespace mayfly
