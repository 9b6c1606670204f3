// The three files of an application, in sections: key, public key, certificate.
#include "fuzz.hpp"
#include "property.hpp"
#include "scratch.hpp"
#include "sshgen/on_disk.hpp"

namespace mayfly::fuzz {
namespace {

using namespace sshgen;

const Harness harness("key_files", [](std::string_view input) {
  static const ScratchState scratch;
  const Url url{"vm.example.com", 443, "/path", ""};
  static const KeyFiles names = key_files(url);
  Input sections(input);
  const auto key = sections.section(), public_key = sections.section();
  scratch.put(names.key, key);
  scratch.put(names.public_key, public_key);
  scratch.put(names.certificate, sections.rest());

  const OnDisk found = look_on_disk(scratch.state(), url, now);
  require(found.state != OnDisk::State::absent, "the certificate is there");
  const bool together = found.state != OnDisk::State::mismatched;
  require(found.certificate.has_value() == together, "a certificate comes when all is well");
  if (!together) return;
  require(public_blob_of_private_file(key) == found.certificate->certified_key &&
              public_blob_of_line(public_key) == found.certificate->certified_key,
          "the three belong together");
  require((found.state == OnDisk::State::valid) == found.certificate->usable_at(now),
          "only what is usable is valid");
});

}  // namespace
}  // namespace mayfly::fuzz
