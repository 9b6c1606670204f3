// The keys are made by ssh-keygen. ssh-keygen -l reads what is stored.
#include "sshgen/own_key.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>

#include "access/core/error.hpp"
#include "sshgen/ensure.hpp"
#include "sshgen/testing/signer.hpp"
#include "sshgen/wire.hpp"

namespace mayfly::sshgen {
namespace {

struct World {
  Scratch scratch, home;
  StateDirectory state = StateDirectory::open(scratch.path());
  Url url = parse_url("vm.example.com");
  Signer signer = {};

  std::string key(const std::string& options = "-t ed25519") const {
    const std::string path = home.path_of("id");
    output_of("rm -f " + path + "*; ssh-keygen -q -N '' -C 'a comment' " + options + " -f " + path);
    return path + ".pub";
  }
  Issuer issuer() {
    const auto grant = [] { return Grant{application_of_team(), token_of_team("a.b.c")}; };
    return {[grant](const Url&) { return grant(); },
            [grant](const Url&, const Grant&) { return grant(); }, signer.send()};
  }
  Certificate ensure(const OwnKey& key) { return ensure_own(state, url, issuer(), key); }
  OnDisk::State look(const OwnKey& key) const {
    return look_at_own(state, key_files(url), key, now()).state;
  }
};

// Returns the message and the hint of the Error that reading must throw.
std::string refusal(const std::string& path) {
  try {
    read_own_key(path);
  } catch (const Error& error) {
    return error.message() + "; " + error.hint();
  }
  return "not refused";
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("own key: certified and stored without a private key") {
  for (const char* kind :
       {"-t ed25519", "-t ecdsa -b 256", "-t ecdsa -b 384", "-t ecdsa -b 521", "-t rsa -b 2048"}) {
    CAPTURE(kind);
    World world;
    const std::string path = world.key(kind);
    const OwnKey key = read_own_key(path);
    const Certificate certificate = world.ensure(key);
    CHECK(certificate.certified_key == key.blob);
    auto names = world.state.list();
    std::sort(names.begin(), names.end());
    CHECK(names == std::vector<std::string>{"vm.example.com-own_key-cert.pub",
                                            "vm.example.com-own_key.pub"});
    const auto print = [](const std::string& file) {
      return output_of("ssh-keygen -l -f " + file + " | cut -d ' ' -f 1,2");
    };
    CHECK(print(world.scratch.path_of("vm.example.com-own_key.pub")) == print(path));
    CHECK(world.look(key) == OnDisk::State::valid);
  }
}

TEST_CASE("own key: a valid certificate needs no request, and one of another key does") {
  World world;
  const OwnKey first = read_own_key(world.key());
  world.ensure(first);
  world.ensure(first);
  CHECK(world.signer.requests.size() == 1);
  const OwnKey second = read_own_key(world.key());
  CHECK(world.look(second) == OnDisk::State::mismatched);
  CHECK(world.ensure(second).certified_key == second.blob);
  CHECK(world.signer.requests.size() == 2);
  CHECK(world.look(first) == OnDisk::State::mismatched);
}

TEST_CASE("own key: a certificate for another key is not stored") {
  World world;
  const OwnKey key = read_own_key(world.key());
  Issuer issuer = world.issuer();
  const std::string other = generate_key_pair(KeyType::ed25519).public_line();
  issuer.send = [&](const Request&) { return signed_answer(world.signer.authority.sign(other)); };
  CHECK_THROWS_AS(ensure_own(world.state, world.url, issuer, key), Error);
  CHECK(world.state.list().empty());
}

TEST_CASE("own key: beside a key of mayfly's, and a logout removes both") {
  World world;
  const OwnKey key = read_own_key(world.key());
  world.ensure(key);
  ensure_certificate(world.state, world.url, world.issuer());
  CHECK(world.state.list().size() == 5);
  CHECK(world.look(key) == OnDisk::State::valid);
  CHECK(remove_from_disk(world.state, world.url));
  CHECK(world.state.list().empty());
}

TEST_CASE("own key: files that are broken or gone are replaced") {
  World world;
  const OwnKey key = read_own_key(world.key());
  for (const char* name : {"vm.example.com-own_key-cert.pub", "vm.example.com-own_key.pub"}) {
    world.ensure(key);
    world.state.write(name, "garbage");
    CHECK(world.look(key) == OnDisk::State::mismatched);
    world.ensure(key);
    CHECK(world.look(key) == OnDisk::State::valid);
    world.state.remove(name);
    CHECK(world.look(key) != OnDisk::State::valid);
  }
}

TEST_CASE("own key: a private key is refused") {
  const World world;
  world.key();
  for (const char* format : {"", "-m PEM", "-m PKCS8"}) {
    const std::string path = world.home.path_of("private");
    output_of("rm -f " + path + "*; ssh-keygen -q -N '' -t rsa " + format + " -f " + path);
    CHECK(holds(refusal(path), "is a private key, which mayfly does not read; name the file"));
  }
}

TEST_CASE("own key: a file that is no public key is refused") {
  const World world;
  const auto file = [&](const std::string& content) { return world.home.file("file", content); };
  const std::string line = generate_key_pair(KeyType::ed25519).public_line();
  for (const std::string& content :
       {std::string(), std::string("words\n"), line + line, "# comment\n" + line,
        "from=\"*\" " + line, line.substr(0, 30), std::string(200000, 'A')})
    CHECK(holds(refusal(file(content)), "; name the file of a public key"));
  CHECK(holds(refusal(file(Authority().sign(line))), "is a certificate"));
  CHECK(holds(refusal(world.home.path_of("absent")), "No such file"));
  CHECK(holds(refusal(world.home.path()), "is no regular file"));
  CHECK(read_own_key(file(line)).line == line);
  CHECK(read_own_key(file(line.substr(0, line.size() - 1) + " jdoe@host\r\n")).line == line);
}

TEST_CASE("own key: the refusal of a type that Access does not sign is explained") {
  World world;
  WireWriter blob;
  blob.string("sk-ssh-ed25519@openssh.com").string(std::string(32, 'p')).string("ssh:");
  const OwnKey key = read_own_key(world.home.file("sk.pub", line_of_blob(blob.bytes())));
  CHECK(key.type == "sk-ssh-ed25519@openssh.com");
  CHECK(world.ensure(key).certified_key == key.blob);  // if the signer signs it
  world.state.remove("vm.example.com-own_key-cert.pub");
  world.signer.script = {answer(400, R"({"status":400,"message":"bad key"})")};
  std::string said;
  try {
    world.ensure(key);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::refused);
    said = error.message() + "; " + error.hint();
  }
  CHECK(holds(said, "\"bad key\""));
  CHECK(holds(said, "this one is of the type sk-ssh-ed25519@openssh.com"));
}

TEST_CASE("own key: the path for IdentityFile") {
  CHECK(identity_file_of("/home/jdoe/.ssh/id_ed25519.pub") == "/home/jdoe/.ssh/id_ed25519");
  CHECK(identity_file_of("/home/jdoe/piv") == "/home/jdoe/piv");
}

}  // namespace
}  // namespace mayfly::sshgen
