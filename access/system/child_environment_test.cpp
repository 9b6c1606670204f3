// What programs that mayfly starts find in their environment, and at which descriptors.
#include "access/system/child_environment.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "access/system/child_output.hpp"
#include "access/system/descriptor.hpp"

using namespace mayfly;

namespace {

class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() { ::unsetenv(name_); }

 private:
  const char* name_;
};

std::string told(const ChildEnvironment& environment) {
  std::string all;
  for (char* const* entry = environment.get(); *entry != nullptr; ++entry)
    all.append(*entry).append("\n");
  return all;
}

struct Secrets {
  Variable id{"TUNNEL_SERVICE_TOKEN_ID", "the-id"};
  Variable secret{"TUNNEL_SERVICE_TOKEN_SECRET", "the-secret"};
  Variable certificate{"MAYFLY_CERT", "pkcs11:token=t?pin-value=1234"};
  Variable key{"MAYFLY_KEY", "pkcs11:token=t?PIN-VALUE=1234"};
  Variable keys{"SSLKEYLOGFILE", "/tmp/keys"};
  Variable proxy{"HTTPS_PROXY", "http://me:p@ss@proxy.example:3128"};
  Variable lower{"all_proxy", "me:p@ss@proxy.example:1080"};
  Variable exempt{"NO_PROXY", "a.example"};
};

}  // namespace

TEST_CASE("child environment: secrets stay out of it") {
  const Secrets secrets;
  const std::string all = told(ChildEnvironment());
  for (const char* secret : {"the-id", "the-secret", "1234", "p@ss", "SSLKEYLOGFILE"}) {
    CAPTURE(secret);
    CHECK(all.find(secret) == std::string::npos);
  }
  CHECK(all.find("HTTPS_PROXY=http://proxy.example:3128\n") != std::string::npos);
  CHECK(all.find("all_proxy=proxy.example:1080\n") != std::string::npos);
  CHECK(all.find("NO_PROXY=a.example\n") != std::string::npos);
  CHECK(all.find("PATH=") != std::string::npos);
}

TEST_CASE("child environment: what goes to the same proxies gets their passwords") {
  const Secrets secrets;
  const std::string all = told(ChildEnvironment({}, ChildEnvironment::ProxyPasswords::kept));
  CHECK(all.find("HTTPS_PROXY=http://me:p@ss@proxy.example:3128\n") != std::string::npos);
  CHECK(all.find("1234") == std::string::npos);
}

TEST_CASE("child environment: a program that is run gets this one") {
  const Secrets secrets;
  const ChildOutput output = run_child({.words = {"env"}});
  CHECK(output.out.find("the-secret") == std::string::npos);
  CHECK(output.out.find("p@ss") == std::string::npos);
  CHECK(output.out.find("NO_PROXY=a.example\n") != std::string::npos);
}

TEST_CASE("a program that is run inherits no descriptor but 0, 1 and 2") {
  const Descriptor inherited(::open("/dev/null", O_RDONLY));  // without O_CLOEXEC
  REQUIRE(inherited.get() > 2);
  // The shell opens nothing itself before it looks.
  const ChildOutput output =
      run_child({.words = {"sh", "-c",
                           "for n in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do "
                           "[ -e /proc/$$/fd/$n ] && echo $n; done"}});
  CHECK(output.out == "0\n1\n2\n");
}
