#include "sshgen/on_disk.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/core/error.hpp"
#include "sshgen/testing/scratch.hpp"

namespace mayfly::sshgen {
namespace {

using State = OnDisk::State;

std::chrono::sys_seconds present() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

struct Home {
  Scratch scratch;
  StateDirectory state = StateDirectory::open(scratch.path());
  Url url = parse_url("vm.example.com");
  Authority authority = Authority();

  KeyPair write(KeyType type = KeyType::ecdsa, const std::string& validity = "-5m:+1h") {
    auto pair = generate_key_pair(type);
    const auto line = authority.sign(pair.public_line(), "-I id -n jdoe -V " + validity);
    write_to_disk(state, url, pair, {line, parse_certificate(line).value()});
    return pair;
  }
  State look() const { return look_on_disk(state, url, present()).state; }
};

TEST_CASE("on disk: names are cloudflared's") {
  const auto key_of = [](const char* url) { return key_file_name(parse_url(url)); };
  CHECK(key_of("vm.example.com") == "vm.example.com-cf_key");
  CHECK(key_of("https://vm.example.com/") == "vm.example.com-cf_key");
  CHECK(key_of("https://VM.example.com/a/b%20c") == "vm.example.com-a-b%20c-cf_key");
  CHECK(key_of("vm.example.com:8443") == "vm.example.com-cf_key");
  const auto names = key_files(parse_url("vm.example.com"));
  CHECK(names.public_key == "vm.example.com-cf_key.pub");
  CHECK(names.certificate == "vm.example.com-cf_key-cert.pub");
}

TEST_CASE("on disk: a path too long for its longest file name is refused") {
  CHECK_THROWS_AS(key_files(parse_url("a.example/" + std::string(240, 'x'))), Error);
}

TEST_CASE("on disk: the files that are written are valid, private and usable by OpenSSH") {
  for (const auto type : {KeyType::ecdsa, KeyType::ed25519}) {
    Home home;
    const auto previous_mask = ::umask(0);
    const auto pair = home.write(type);
    ::umask(previous_mask);
    CHECK(home.look() == State::valid);
    CHECK(valid_on_disk(home.state, home.url, present())->certified_key == pair.public_blob);
    const auto key = home.scratch.path_of("vm.example.com-cf_key");
    CHECK(output_of("ssh-keygen -y -f " + key) == content_of(key + ".pub"));
    for (const auto* suffix : {"", ".pub", "-cert.pub"}) {
      struct stat status {};
      REQUIRE(::stat((key + suffix).c_str(), &status) == 0);
      CHECK((status.st_mode & 07777) == 0600);
    }
  }
}

TEST_CASE("on disk: a pair made by openssl and ssh-keygen is taken as it is") {
  Home home;
  const auto key = home.scratch.path_of("vm.example.com-cf_key");
  output_of("umask 077; openssl ecparam -name prime256v1 -genkey -noout -out " + key);
  const auto line = output_of("ssh-keygen -y -f " + key);
  home.scratch.file("vm.example.com-cf_key.pub", line);
  home.scratch.file("vm.example.com-cf_key-cert.pub", home.authority.sign(line));
  CHECK(home.look() == State::valid);
}

TEST_CASE("on disk: an absent certificate") {
  const Home home;
  CHECK(home.look() == State::absent);
  CHECK_FALSE(valid_on_disk(home.state, home.url, present()));
}

TEST_CASE("on disk: a certificate that has ended, or will have in a moment") {
  Home home;
  home.write(KeyType::ecdsa, "-2h:-1h");
  CHECK(home.look() == State::ended);
  CHECK(look_on_disk(home.state, home.url, present()).certificate);
  CHECK_FALSE(valid_on_disk(home.state, home.url, present()));
  home.write(KeyType::ecdsa, "-1h:+20s");
  CHECK(home.look() == State::ended);
  home.write(KeyType::ecdsa, "-5s:+40s");
  CHECK(home.look() == State::valid);
}

TEST_CASE("on disk: a file that is missing, from another pair, or broken") {
  const KeyFiles names = key_files(parse_url("vm.example.com"));
  for (const auto& name : {names.key, names.public_key, names.certificate}) {
    CAPTURE(name);
    Home home;
    home.write();
    const auto old = content_of(home.scratch.path_of(name));
    home.write();
    home.scratch.file(name, old);
    CHECK(home.look() == State::mismatched);
    home.scratch.file(name, "");
    CHECK(home.look() == State::mismatched);
    home.scratch.file(name, std::string(200000, 'x'));
    CHECK(home.look() == State::mismatched);
    ::unlink(home.scratch.path_of(name).c_str());
    CHECK(home.look() == (name == names.certificate ? State::absent : State::mismatched));
    const auto elsewhere = home.scratch.file("elsewhere", old);
    REQUIRE(::symlink(elsewhere.c_str(), home.scratch.path_of(name).c_str()) == 0);
    CHECK(home.look() == State::mismatched);
    home.write();
    CHECK(home.look() == State::valid);
    CHECK(content_of(elsewhere) == old);
  }
}

TEST_CASE("on disk: the new files are in place one after the other, the certificate last") {
  Home home;
  home.write();
  const auto names = key_files(home.url);
  std::vector<std::string> previous;
  for (const auto& name : {names.key, names.public_key, names.certificate})
    previous.push_back(content_of(home.scratch.path_of(name)));
  home.write();
  // As a crash between the renames would leave them.
  home.scratch.file(names.certificate, previous[2]);
  CHECK(home.look() == State::mismatched);
  home.scratch.file(names.public_key, previous[1]);
  CHECK(home.look() == State::mismatched);
  home.scratch.file(names.key, previous[0]);
  CHECK(home.look() == State::valid);
}

TEST_CASE("on disk: removes whichever files exist") {
  Home home;
  home.write();
  CHECK(remove_from_disk(home.state, home.url));
  CHECK(home.state.list().empty());
  CHECK_FALSE(remove_from_disk(home.state, home.url));
  home.scratch.file("vm.example.com-cf_key.pub", "x");
  CHECK(remove_from_disk(home.state, home.url));
}

}  // namespace
}  // namespace mayfly::sshgen
