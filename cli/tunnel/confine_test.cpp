// What a confined listener may open: exact lists, since each line more is one for an attacker.
#include "cli/tunnel/confine.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include "access/testing/scratch_directory.hpp"

using namespace mayfly;
using namespace mayfly::cli;
using List = std::vector<std::string>;

namespace {

struct Place {
  Place() {
    for (const char* name : {"home/.ssh", "home/.cloudflared", "home/pki", "elsewhere", "links"})
      std::filesystem::create_directories(root / name);
  }
  std::string operator/(const char* name) const { return root / name; }
  EnvironmentPaths paths() const {
    return {.home = root / "home",
            .state = root / "home/.cloudflared",
            .ca_file = {},
            .ca_directory = {},
            .name_servers = {}};
  }
  testing::ScratchDirectory root;
};

ListenerFiles for_certificate(const Place& place, const std::string& file) {
  NetworkFlags flags;
  flags.identity.certificate = file;
  return listener_files({}, flags, place.paths());
}

}  // namespace

TEST_CASE("a listener reads what names are looked up with, and writes its state") {
  const Place place;
  const ListenerFiles files = listener_files({}, {}, place.paths());
  CHECK(files.permitted.read == List{"/etc", "/usr", "/lib", "/lib32", "/lib64", "/var/lib",
                                     "/nix/store", "/proc", "/sys", "/run/systemd/resolve",
                                     "/run/nscd", "/run/resolvconf", "/run/NetworkManager",
                                     "/dev/null", "/dev/random", "/dev/urandom"});
  CHECK(files.permitted.write == List{"/dev/null", place / "home/.cloudflared"});
  CHECK(files.permitted.open.empty());
  CHECK(files.permitted.remove.empty());
  CHECK(files.permitted.network == PermittedFiles::Network::outgoing);
}

TEST_CASE("a directory of the log is written to, one of a socket loses it") {
  const Place place;
  ListenOptions options;
  options.addresses = {{.host = {}, .port = 0, .path = place / "home/socket"}};
  NetworkFlags flags;
  flags.logging.directory = place / "elsewhere";
  const PermittedFiles files = listener_files(options, flags, place.paths()).permitted;
  CHECK(files.write == List{"/dev/null", place / "home/.cloudflared", place / "elsewhere"});
  CHECK(files.remove == List{place / "home"});
  CHECK(files.open.empty());
}

TEST_CASE("a certificate may be replaced in a directory of its own") {
  const Place place;
  testing::put(place / "home/pki/one.pem", "");
  const ListenerFiles files = for_certificate(place, place / "home/pki/one.pem");
  CHECK(files.permitted.open == List{place / "home/pki/one.pem", place / "home/pki"});
  CHECK(files.not_renewed.empty());
}

TEST_CASE("the home directory, its .ssh and what they are in are not opened for a file") {
  const Place place;
  for (const char* name : {"home/ca.pem", "home/.ssh/ca.pem", "ca.pem"}) {
    CAPTURE(name);
    testing::put(place / name, "");
    const ListenerFiles files = for_certificate(place, place / name);
    CHECK(files.permitted.open == List{place / name});
    CHECK(files.not_renewed == List{place / name});
  }
}

TEST_CASE("a file in the state directory is nothing more") {
  const Place place;
  const ListenerFiles files = for_certificate(place, place / "home/.cloudflared/ca.pem");
  CHECK(files.permitted.open == List{place / "home/.cloudflared/ca.pem"});
  CHECK(files.not_renewed.empty());
}

TEST_CASE("a link is followed to where its file is renewed") {
  const Place place;
  testing::put(place / "elsewhere/one.pem", "");
  std::filesystem::create_symlink(place / "elsewhere/one.pem", place / "links/one.pem");
  CHECK(for_certificate(place, place / "links/one.pem").permitted.open ==
        List{place / "elsewhere/one.pem", place / "links", place / "elsewhere"});
}

TEST_CASE("the list of name servers, and authorities of the environment") {
  const Place place;
  testing::put(place / "elsewhere/resolv.conf", "");
  EnvironmentPaths paths = place.paths();
  paths.name_servers = place / "elsewhere/resolv.conf";
  paths.ca_file = place / "links/ca.pem";
  paths.ca_directory = "/opt/authorities";
  const PermittedFiles files = listener_files({}, {}, paths).permitted;
  CHECK(files.open == List{place / "links/ca.pem", place / "links", place / "elsewhere/resolv.conf",
                           place / "elsewhere"});
  CHECK(files.read.back() == "/opt/authorities");
}
