#include "access/testing/authority.hpp"

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace mayfly::testing {

TestAuthority::TestAuthority(const std::string& name) {
  run(
      fmt::format("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 "
                  "-keyout ca.key -out ca.pem -subj '/CN={}'",
                  name));
}

void TestAuthority::run(const std::string& command) const {
  const std::string line =
      fmt::format("cd '{}' && umask 077 && ( {} ) >output 2>&1", directory_.path(), command);
  const int status = std::system(line.c_str());
  INFO(command, "\n", status == 0 ? "" : read("output"));
  REQUIRE(status == 0);
}

void TestAuthority::issue(const std::string& name, const std::string& options) const {
  run(
      fmt::format("openssl req -x509 -CA ca.pem -CAkey ca.key -newkey ec "
                  "-pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {0}.key -out {0}.pem "
                  "-addext basicConstraints=critical,CA:FALSE {1}",
                  name, options));
}

void TestAuthority::issue_server(const std::string& name, const std::string& alternatives) const {
  issue(name, fmt::format("-subj /CN={} -addext subjectAltName={}", name, alternatives));
}

void TestAuthority::issue_dated_server(const std::string& name, const std::string& alternatives,
                                       const Validity& valid) const {
  // `openssl x509` takes no dates before 3.4, and no negative days since.
  write("ca.cnf",
        "[ca]\ndefault_ca = here\n[here]\ndatabase = index.txt\nrand_serial = yes\n"
        "new_certs_dir = .\ndefault_md = sha256\npolicy = names\nunique_subject = no\n"
        "copy_extensions = copy\n[names]\ncommonName = supplied\n");
  write("index.txt", "");
  run(
      fmt::format("openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
                  "-keyout {0}.key -subj /CN={0} -addext subjectAltName={1} -out {0}.csr && "
                  "openssl ca -batch -notext -config ca.cnf -cert ca.pem -keyfile ca.key "
                  "-startdate {2} -enddate {3} -in {0}.csr -out {0}.pem",
                  name, alternatives, valid.from, valid.to));
}

std::string TestAuthority::read(std::string_view name) const {
  std::ostringstream text;
  text << std::ifstream(path(name)).rdbuf();
  return text.str();
}

void TestAuthority::write(std::string_view name, std::string_view content) const {
  std::ofstream(path(name)) << content;
  REQUIRE(chmod(path(name).c_str(), 0600) == 0);
}

}  // namespace mayfly::testing
